//go:build linux && (amd64 || arm64)

package early

import (
	"unsafe"

	"github.com/sole-run/sole/internal/fixed"
	"golang.org/x/sys/unix"
)

// findProgram finds the command as cmd/sole's lookPath does, and puts its path into
// now.program. What cannot be run is left to the ordinary code.
func (r *request) findProgram() bool {
	word := now.args[0]
	for i := range len(word) {
		if word[i] == '/' {
			return setProgram("", word) && runnable()
		}
	}
	path := r.path
	if !r.pathGiven {
		path = "/bin:/usr/bin" // what the C library uses then
	}
	for from := 0; from < len(path); {
		to := from
		for to < len(path) && path[to] != ':' {
			to++
		}
		dir := path[from:to]
		if dir == "" {
			dir = "."
		}
		if !setProgram(dir, word) {
			return false
		}
		if runnable() {
			return true
		}
		from = to + 1
	}
	return false // not found, or in the empty entry that a last colon makes
}

func setProgram(dir, word string) bool {
	if len(dir)+len(word)+2 > len(now.program) {
		return false
	}
	n := copy(now.program[:], dir)
	if n > 0 {
		now.program[n] = '/'
		n++
	}
	n += copy(now.program[n:], word)
	now.program[n] = 0
	return true
}

func runnable() bool {
	if !stat(&now.program[0], &now.st, 0) || now.st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return false
	}
	_, errno := sys(unix.SYS_FACCESSAT2, atCWD, uintptr(unsafe.Pointer(&now.program)), unix.X_OK, unix.AT_EACCESS, 0)
	return errno == 0
}

// variables adds to the environment what the command is told, as cmd/sole does.
func (r *request) variables() bool {
	w := fixed.Writer{B: now.vars[:]}
	add := r.vars
	now.env[add] = &now.vars[w.N]
	w.Text("SOLE_NAME=")
	w.Text(r.name)
	w.Byte(0)
	now.env[add+1] = &now.vars[min(w.N, len(now.vars)-1)]
	w.Text("SOLE_RUN=")
	w.Number(now.rec.Run)
	w.Byte(0)
	now.env[add+2] = &now.vars[min(w.N, len(now.vars)-1)]
	w.Text("SOLE_HELD=")
	if r.heldGiven {
		w.Text(r.held)
		w.Byte(' ')
	}
	w.Text(r.name)
	w.Byte(0)
	now.env[add+3] = nil
	return w.Fits()
}
