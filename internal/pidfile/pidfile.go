// Package pidfile keeps a pid file: a path that one process has, by a file there with
// its pid.
//
// The pid file has the pid and a newline, and nothing else: `kill $(cat FILE)` hands each
// word of the file to kill, and a number in a second line would be signalled as well. What
// tells the process from a later one with the same pid, the identity, is in a file beside it,
// FILE with a dot before and `.id` behind its name. That file is also the guard: whoever
// makes, changes or removes the pid file holds its flock meanwhile. So of two starts that find the
// same stale file one judges it after the other has replaced it.
//
// A pid file appears whole, by link(2), and changes whole, by rename(2). It is stale only if
// every process in its identity has ended. Where that cannot be known, it is not.
//
// What a pid file cannot do, however it is kept: exclude a program that does not look at
// it; say who lives in another pid namespace ([Lock] helps there); tell a recycled pid
// from the one that was meant, for a file that another program wrote. Such a file is stale only if no
// process has its pid.
//
// The package knows no name and no policy.
package pidfile

import (
	"fmt"

	"github.com/sole-run/sole/internal/proc"
)

// Lock is a file lock that the owner of a pid file, and what it starts, holds for as
// long as it lives: a mark on one byte of the file, which is known to be had by one at a
// time. The zero value is none.
//
// It tells what pids do not: a pid file that was written under the same lock, by an earlier
// owner, is stale; and whether an owner in another pid namespace lives.
type Lock struct {
	Path     string
	Dev, Ino uint64
	Mark     int64 // -1: the filesystem knows no marks
}

// set reports whether there is one.
func (l *Lock) set() bool { return l.Ino != 0 }

// BusyError says that the process of a pid file lives, or may live.
type BusyError struct {
	Path string
	PID  int
	// Alive is the process that lives; its PID is 0 where Doubt says why it is not known.
	Alive proc.ID
	// Foreign is set when the file has no identity, so that the pid may be a recycled one.
	Foreign bool
	Doubt   string
}

func (e *BusyError) Error() string {
	if e.Doubt != "" {
		return fmt.Sprintf("%s names pid %d, and %s", e.Path, e.PID, e.Doubt)
	}
	return fmt.Sprintf("%s names pid %d, which lives", e.Path, e.Alive.PID)
}

// BadError says that what is at a pid file's path is no pid file, or not one that was
// written to its end.
type BadError struct{ Path, Problem string }

func (e *BadError) Error() string { return e.Path + " " + e.Problem }

// LostError says that a pid file is not the owner's any more, and was left alone.
type LostError struct{ Path, Problem string }

func (e *LostError) Error() string { return e.Path + " " + e.Problem }
