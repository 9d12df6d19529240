package locktable

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Read reads /proc/locks.
func Read() (Table, error) {
	b, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil, err
	}
	return parse(b), nil
}

// parse reads lines of the form that proc_locks(5) shows:
//
//	1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF
//	1: -> FLOCK  ADVISORY  WRITE 813 fe:00:1234 0 EOF
func parse(b []byte) Table {
	t := make(Table)
	for l := range bytes.Lines(b) {
		f := bytes.Fields(l)
		if len(f) < 2 {
			continue
		}
		f = f[1:]
		waits := string(f[0]) == "->"
		if waits {
			f = f[1:]
		}
		if len(f) < 5 || string(f[0]) != "FLOCK" {
			continue
		}
		pid, err := strconv.Atoi(string(f[3]))
		k, ok := parseKey(f[4])
		if err != nil || !ok {
			continue
		}
		e := t[k]
		if e == nil {
			e = new(Entry)
			t[k] = e
		}
		if waits {
			e.Waiters = append(e.Waiters, pid)
		} else {
			e.Holders = append(e.Holders, max(pid, 0))
		}
	}
	return t
}

// parseKey reads major:minor:inode, the first two in hexadecimal.
func parseKey(b []byte) (Key, bool) {
	f := bytes.Split(b, []byte{':'})
	if len(f) != 3 {
		return Key{}, false
	}
	major, err1 := strconv.ParseUint(string(f[0]), 16, 32)
	minor, err2 := strconv.ParseUint(string(f[1]), 16, 32)
	ino, err3 := strconv.ParseUint(string(f[2]), 10, 64)
	return Key{uint32(major), uint32(minor), ino}, err1 == nil && err2 == nil && err3 == nil
}

// Loose reports whether files on the filesystem of fd have another device number
// in stat(2) than in /proc/locks.
func Loose(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.BTRFS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
}
