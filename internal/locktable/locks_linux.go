package locktable

import (
	"bytes"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// passes is how often a long /proc/locks is read. The kernel hands it out a page at
// a time and goes on by counting entries, so that one that ends between two pages hides another
// (fs/seq_file.c). What any of the passes saw is taken to be there.
const passes = 4

// Read reads /proc/locks.
func Read() (Table, error) {
	t := make(Table)
	for range passes {
		b, pages, err := readPages("/proc/locks")
		if err != nil {
			return nil, err
		}
		t.merge(parse(b))
		if pages <= 1 {
			return t, nil
		}
	}
	return t, nil
}

// readPages reads a file of the kernel's in as few reads as it allows.
func readPages(path string) (b []byte, pages int, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	const chunk = 1 << 16 // more than the kernel gives at once
	for {
		b = slices.Grow(b, chunk)
		n, err := unix.Read(fd, b[len(b):len(b)+chunk])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, 0, &os.PathError{Op: "read", Path: path, Err: err}
		case n == 0:
			return b, pages, nil
		default:
			b = b[:len(b)+n]
			pages++
		}
	}
}

// merge adds what other has and t has not.
func (t Table) merge(other Table) {
	for k, e := range other {
		mine := t[k]
		if mine == nil {
			t[k] = e
			continue
		}
		mine.Holders = union(mine.Holders, e.Holders)
		mine.Waiters = union(mine.Waiters, e.Waiters)
	}
}

func union(a, b []int) []int {
	for _, n := range b {
		if !slices.Contains(a, n) {
			a = append(a, n)
		}
	}
	return a
}

// The families of locks, as the kernel calls them.
const (
	flocks = "FLOCK"  // flock(2)
	posix  = "POSIX"  // fcntl(2), of a process
	ofd    = "OFDLCK" // fcntl(2), of an open file description
)

func parse(b []byte) Table { return parseAs(b, flocks) }

// parseAs reads the lines of one family, of the form that proc_locks(5) shows:
//
//	1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF
//	1: -> FLOCK  ADVISORY  WRITE 813 fe:00:1234 0 EOF
func parseAs(b []byte, family string) Table {
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
		if len(f) < 5 || string(f[0]) != family {
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
