package locktable

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Key is the file that a lock is on.
type Key struct {
	Major, Minor uint32
	Ino          uint64
}

// KeyOf is the Key of a file by its stat(2) fields.
func KeyOf(dev, ino uint64) Key { return Key{unix.Major(dev), unix.Minor(dev), ino} }

// Entry is what /proc/locks says of one file.
type Entry struct {
	Holders []int // pids that took the lock; 0 is one that cannot be named
	Waiters []int // pids that wait for it
}

// Table is one family's part of /proc/locks: of [Read], that of flock(2).
type Table map[Key]*Entry

// On returns the entry of the file, nil if there is none. Where files have another
// device number in stat(2) than in /proc/locks (btrfs, overlay: loose is set) the
// inode alone decides, so that a lock on another filesystem may be taken for this one.
func (t Table) On(k Key, loose bool) *Entry {
	if e := t[k]; e != nil || !loose {
		return e
	}
	for other, e := range t {
		if other.Ino == k.Ino && other.Major == 0 {
			return e
		}
	}
	return nil
}

// holders are the pids on the file that can be named.
func (t Table) holders(k Key, loose bool) []int {
	e := t.On(k, loose)
	if e == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(e.Holders), func(pid int) bool { return pid <= 0 })
}
