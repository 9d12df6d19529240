package main

import (
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/supervise"
)

// A command that was started before the Go runtime has its signals blocked on all
// threads. They are let through on this one only, so main has to stay on it.
func init() {
	if early.Started() {
		runtime.LockOSThread()
	}
}

// startedEarly is the command that runs already, nil if there is none.
func startedEarly() *supervise.Running {
	r, ok := early.Adopt()
	if !ok {
		return nil
	}
	return &supervise.Running{PID: r.PID, Mask: r.Mask, Ignored: r.Ignored, Stopped: r.Stopped}
}

// notKept are signals whose being ignored is not passed on: this process needs SIGCHLD, and
// the Go runtime those of a fault of its own, and SIGURG.
const notKept = 1<<(unix.SIGCHLD-1) | 1<<(unix.SIGURG-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGFPE-1) | 1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1)

// keepIgnored ignores what was ignored at the start, so that the command inherits it. The
// Go runtime keeps SIGHUP and SIGINT by itself, and no others. It has to be asked by its own
// package: it gives what it handles its default action in the processes that it starts.
func keepIgnored() {
	mask := early.Ignored() &^ notKept
	for sig := syscall.Signal(1); mask != 0; sig++ {
		if mask&1 != 0 {
			signal.Ignore(sig)
		}
		mask >>= 1
	}
}
