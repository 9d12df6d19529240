package pidfile

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/sole-run/sole/internal/proc"
)

// identity is what a pid file's pid cannot say.
type identity struct {
	place   proc.Place
	uid     uint32
	holder  proc.ID
	command proc.ID // what the holder runs, PID 0 for none
	lock    Lock
	files   []stamp // the pid files that it is about: two while one replaces the other
}

// stamp tells one state of a file from another.
type stamp struct {
	dev, ino uint64
	mtime    int64 // nanoseconds
}

// describes reports whether the identity is about the file s.
func (id *identity) describes(s stamp) bool {
	for _, f := range id.files {
		if f == s {
			return true
		}
	}
	return false
}

const (
	magic = "sole-pidfile 1 "
	// maxIdentity is below a page, so that SIGKILL cannot cut a write in two.
	maxIdentity = 4096
	// maxLockPath leaves room for the rest.
	maxLockPath = 2048
)

var errIdentity = errors.New("not an identity")

// encode returns the identity's bytes:
//
//	sole-pidfile 1 LENGTH crc32=CHECKSUM
//	KEY VALUE
//	…
//
// Length and checksum are of what follows the first line.
func (id *identity) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "boot %s\npidns %d\nuid %d\n", id.place.Boot[:], id.place.PIDs, id.uid)
	fmt.Fprintf(&b, "holder %s\ncommand %s\n", idText(id.holder), idText(id.command))
	if l := id.lock; l.set() && len(l.Path) <= maxLockPath && !strings.Contains(l.Path, "\n") {
		fmt.Fprintf(&b, "lock %d:%d:%d %s\n", l.Dev, l.Ino, l.Mark, l.Path)
	}
	for _, f := range id.files {
		fmt.Fprintf(&b, "file %d:%d:%d\n", f.dev, f.ino, f.mtime)
	}
	first := fmt.Sprintf("%s%d crc32=%08x\n", magic, b.Len(), crc32.ChecksumIEEE(b.Bytes()))
	return append([]byte(first), b.Bytes()...)
}

// decode reads what encode wrote; what is behind it does not matter.
func decode(b []byte) (identity, error) {
	var id identity
	first, body, ok := bytes.Cut(b, []byte("\n"))
	length, sum := 0, uint32(0)
	if n, err := fmt.Sscanf(string(first), magic+"%d crc32=%08x", &length, &sum); !ok || err != nil || n != 2 {
		return id, errIdentity
	}
	if length < 0 || length > len(body) || crc32.ChecksumIEEE(body[:length]) != sum {
		return id, errIdentity
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(body[:length])) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if err := id.field(key, value); err != nil {
			return identity{}, err
		}
		seen[key]++
	}
	for _, key := range []string{"boot", "pidns", "uid", "holder", "command"} {
		if seen[key] != 1 {
			return identity{}, errIdentity
		}
	}
	if seen["lock"] > 1 || seen["file"] > 2 || id.holder.PID == 0 {
		return identity{}, errIdentity
	}
	return id, nil
}

func (id *identity) field(key, value string) (err error) {
	switch key {
	case "boot":
		if len(value) != len(id.place.Boot) {
			return errIdentity
		}
		copy(id.place.Boot[:], value)
	case "pidns":
		id.place.PIDs, err = strconv.ParseUint(value, 10, 64)
	case "uid":
		var n uint64
		n, err = strconv.ParseUint(value, 10, 32)
		id.uid = uint32(n)
	case "holder":
		id.holder, err = parseID(value)
	case "command":
		id.command, err = parseID(value)
	case "lock":
		at, path, ok := strings.Cut(value, " ")
		n, err := numbers(at)
		if !ok || err != nil || n[1] == 0 {
			return errIdentity
		}
		id.lock = Lock{Path: path, Dev: uint64(n[0]), Ino: uint64(n[1]), Mark: n[2]}
	case "file":
		n, err := numbers(value)
		if err != nil {
			return errIdentity
		}
		id.files = append(id.files, stamp{uint64(n[0]), uint64(n[1]), n[2]})
	default:
		return errIdentity
	}
	return err
}

// numbers reads A:B:C. The first two are unsigned.
func numbers(s string) (n [3]int64, err error) {
	f := strings.Split(s, ":")
	if len(f) != 3 {
		return n, errIdentity
	}
	for i := range 2 {
		u, err := strconv.ParseUint(f[i], 10, 64)
		if err != nil {
			return n, err
		}
		n[i] = int64(u)
	}
	n[2], err = strconv.ParseInt(f[2], 10, 64)
	return n, err
}

// idText is a process as docs/protocol.md writes it.
func idText(id proc.ID) string {
	switch {
	case id.PID == 0:
		return "0"
	case id.Inode != 0:
		return fmt.Sprintf("%d pidfd:%d", id.PID, id.Inode)
	}
	return fmt.Sprintf("%d start:%d", id.PID, id.Start)
}

func parseID(s string) (proc.ID, error) {
	if s == "0" {
		return proc.ID{}, nil
	}
	pid, what, _ := strings.Cut(s, " ")
	n, err := parsePID(pid)
	if err != nil {
		return proc.ID{}, err
	}
	kind, value, _ := strings.Cut(what, ":")
	v, err := strconv.ParseUint(value, 10, 64)
	switch {
	case err != nil:
		return proc.ID{}, err
	case kind == "pidfd" && v > 0:
		return proc.ID{PID: n, Inode: v}, nil
	case kind == "start":
		return proc.ID{PID: n, Start: v}, nil
	}
	return proc.ID{}, errIdentity
}

// maxPID is the largest that Linux gives out (PID_MAX_LIMIT).
const maxPID = 1 << 22

func parsePID(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || n > maxPID || s[0] == '+' {
		return 0, errIdentity
	}
	return int(n), nil
}
