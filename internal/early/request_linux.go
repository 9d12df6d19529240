//go:build linux && (amd64 || arm64)

package early

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/name"
)

// More than these are left to the ordinary code.
const (
	maxWords = 256
	maxVars  = 256
)

// request is what was asked for.
type request struct {
	name     string
	dir      string
	quiet    bool
	exec     bool
	busyExit int
	argv     **byte // of the command; the list ends with nil
	words    int

	vars         int
	path, pwd    string
	pathGiven    bool
	held         string
	heldGiven    bool
	tz           string
	tzGiven      bool
	soleDir      string
	uid, euid    uint32
	dirGiven     bool
	zoneinfoElse bool // ZONEINFO is set
	historyElse  bool // the history is not as usual
}

func at(list **byte, i int) *byte {
	return *(**byte)(unsafe.Add(unsafe.Pointer(list), i*int(unsafe.Sizeof(list))))
}

// text is the string that p, ended by a NUL, is in memory.
func text(p *byte) string {
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return unsafe.String(p, n)
}

func begins(s, with string) bool { return len(s) >= len(with) && s[:len(with)] == with }

// read takes the words, the environment and the auxiliary vector apart, as the kernel
// leaves them on the stack. It reports whether the case is a plain one.
func (r *request) read(stack unsafe.Pointer) bool {
	argc := *(*int)(stack)
	if argc < 4 || argc > maxWords {
		return false
	}
	argv := (**byte)(unsafe.Add(stack, unsafe.Sizeof(argc)))
	if text(at(argv, 1)) != "run" || !r.flags(argv, argc) {
		return false
	}
	envp := (**byte)(unsafe.Add(unsafe.Pointer(argv), (argc+1)*int(unsafe.Sizeof(argv))))
	count, ok := r.environment(envp)
	if !ok {
		return false
	}
	return !r.historyElse && r.auxiliary(unsafe.Add(unsafe.Pointer(envp), (count+1)*int(unsafe.Sizeof(envp)))) && standardOpen()
}

// flags reads the flags, the name and the command, as cmd/sole does.
func (r *request) flags(argv **byte, argc int) bool {
	r.busyExit = 75
	i := 2
	for ; i < argc; i++ {
		w := text(at(argv, i))
		if w == "" || w[0] != '-' {
			break
		}
		var value string
		switch {
		case w == "-q", w == "--quiet":
			r.quiet = true
			continue
		case w == "--exec":
			r.exec = true
			continue
		case w == "-E", w == "--busy-exit", w == "--dir":
			if i++; i == argc {
				return false
			}
			value = text(at(argv, i))
		case begins(w, "-E"):
			value = w[len("-E"):]
		case begins(w, "--busy-exit="):
			value = w[len("--busy-exit="):]
		case begins(w, "--dir="):
			value = w[len("--dir="):]
		default:
			return false
		}
		if w[1] == '-' && w[2] == 'd' {
			r.dir, r.dirGiven = value, true
			continue
		}
		code, ok := exitCode(value)
		if !ok {
			return false
		}
		r.busyExit = code
	}
	if i == argc {
		return false
	}
	r.name = text(at(argv, i))
	if i++; i < argc && text(at(argv, i)) == "--" {
		i++
	}
	if i >= argc || !name.Valid(r.name) || *at(argv, i) == 0 {
		return false
	}
	r.argv = (**byte)(unsafe.Add(unsafe.Pointer(argv), i*int(unsafe.Sizeof(argv))))
	r.words = argc - i
	for n := range r.words {
		now.args[n] = text(at(r.argv, n))
	}
	return true
}

func exitCode(s string) (code int, ok bool) {
	if s == "" || len(s) > 3 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		code = 10*code + int(s[i]-'0')
	}
	return code, code <= 255
}

// environment copies the variables that are the command's, and remembers the others.
// Variables that are there twice are left to the ordinary code, which drops some.
func (r *request) environment(envp **byte) (count int, ok bool) {
	for ; at(envp, count) != nil; count++ {
		if count == maxVars {
			return 0, false
		}
		v := text(at(envp, count))
		key, h := 0, uint32(2166136261) // FNV-1a
		for key < len(v) && v[key] != '=' {
			h = (h ^ uint32(v[key])) * 16777619
			key++
		}
		if key == 0 || key == len(v) {
			return 0, false
		}
		for _, other := range now.hash[:count] {
			if other == h {
				return 0, false
			}
		}
		now.hash[count] = h
		if r.variable(v[:key], v[key+1:]) {
			now.env[r.vars] = at(envp, count)
			r.vars++
		}
		if v[:key] == "GODEBUG" {
			return 0, false
		}
	}
	return count, true
}

// variable remembers what matters here, and reports whether the command gets it.
func (r *request) variable(key, value string) bool {
	switch key {
	case "SOLE_NAME", "SOLE_RUN", "SOLE_SLOT", "SOLE_TOKEN", "SOLE_TICK":
		return false
	case "SOLE_HELD":
		r.held, r.heldGiven = value, true
		return false
	case "SOLE_DIR":
		r.soleDir = value
	case "SOLE_HISTORY_SIZE":
		r.historyElse = value != ""
	case "PATH":
		r.path, r.pathGiven = value, true
	case "PWD":
		r.pwd = value
	case "TZ":
		r.tz, r.tzGiven = value, true
	case "ZONEINFO":
		r.zoneinfoElse = true
	}
	return true
}

// auxiliary reads who runs this from the auxiliary vector (getauxval(3)).
func (r *request) auxiliary(vector unsafe.Pointer) bool {
	const null, uid, euid, secure = 0, 11, 12, 23
	found := 0
	for i := 0; ; i++ {
		pair := (*[2]uint64)(unsafe.Add(vector, i*16))
		switch pair[0] {
		case null:
			return found == 3
		case uid:
			r.uid = uint32(pair[1])
			found++
		case euid:
			r.euid = uint32(pair[1])
			found++
		case secure:
			if pair[1] != 0 {
				return false
			}
			found++
		}
	}
}

// standardOpen reports whether the standard descriptors are open. The Go runtime opens
// those that are not.
func standardOpen() bool {
	for fd := range 3 {
		if _, ok := fcntl(fd, unix.F_GETFD, 0); !ok {
			return false
		}
	}
	return true
}

// filesMayGrow reports whether there is no limit to a file's size. A write beyond one kills
// by SIGXFSZ; the Go runtime gets an error instead.
func filesMayGrow() bool {
	const infinity = ^uint64(0)
	_, errno := sys(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_FSIZE, 0, uintptr(unsafe.Pointer(&now.act)), 0)
	return errno == 0 && now.act[0] == infinity
}
