// Package flock locks one open file and tells others that it is locked.
//
// It works on file descriptors. It knows no path, no process and no policy: who
// may lock what, and what a lock means, is decided above.
//
// Two locks of the kernel are used, and both belong to the open file
// description: they are shared with every process that inherited the descriptor
// and they end when the last of these has closed it.
//
//   - The lock itself is flock(2), exclusive or shared. It excludes; waiters that
//     block on it are served in the order in which they came.
//   - A mark is an fcntl(2) open file description lock (F_OFD_SETLK, Linux 3.15) on a
//     single byte, possibly far past the end of the file. Any number may share a mark,
//     or one may have it alone. Asking whether a byte is marked (F_OFD_GETLK) takes no
//     lock, so that looking cannot disturb, which flock(2) has no way to do.
//
// On the files of others a third one is used, so that programs that lock by fcntl(2) take part:
// an open file description lock on the whole file ([TryRange]).
//
// What is not promised: on NFS, flock(2) is turned into a byte-range lock on the
// server, and a mark may then be refused or collide with the caller's own lock.
package flock

import (
	"errors"
)

// Kind is whether others of the same kind may have a lock or mark too.
type Kind uint8

// The kinds of a lock or mark. The zero value is the safe one.
const (
	Exclusive Kind = iota
	Shared
)

// ErrMarks is returned by [Mark] and [TryRange] where the filesystem or the system refuses open
// file description locks.
var ErrMarks = errors.New("open file description locks are not to be had here")
