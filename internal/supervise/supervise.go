// Package supervise runs one command and is to the outside as if it were that
// command: signals reach it, and it ends when and as the command does. It can limit
// the time, wait for the descendants that the command leaves behind, and end them.
//
// It starts no thread and no goroutine, and sleeps in a single ppoll(2). It does not
// know what for: where a lock comes from, and what else there is to do meanwhile ([Duty]),
// is decided above. Linux on amd64 and arm64 only.
package supervise

import (
	"syscall"
	"time"
)

// Spec says what to run and how.
type Spec struct {
	Path string   // of the program, found already
	Argv []string // with the program's name first
	Env  []string
	// MaxTime is when to end the command, 0 for never. The clock stands still while the
	// host is suspended (CLOCK_MONOTONIC).
	MaxTime time.Duration
	// Grace is how long after SIGTERM to send SIGKILL.
	Grace time.Duration
	// UntilTree waits for the last descendant instead of the command alone.
	UntilTree bool
	// KillTree ends the descendants that are left when the command has ended.
	KillTree bool
	// Started is called with the command's pid once it runs. May be nil.
	Started func(pid int)
	// Ended is called when the command has ended and descendants are waited for. May be nil.
	Ended func()
	// Warn is called with what the caller should tell people. May be nil.
	Warn   func(error)
	Duties []Duty
	// Aside reports whether pid is a child of this process that is none of the command's: nobody waits
	// for it, and it is not ended. May be nil.
	Aside func(pid int) bool
	// Running is a command that was started before, which Run then takes over instead of
	// starting one: Path, Argv, Env, Started and MaxTime are not used. The caller must have
	// locked its goroutine to its thread (runtime.LockOSThread).
	Running *Running
}

// Running is a command that runs already, as a child of this process.
type Running struct {
	PID     int
	Mask    uint64 // the signal mask to go on with
	Ignored uint64 // signals to ignore, as a mask
	Stopped bool   // this process stopped itself with the command
}

// Duty is something to look after while the command runs.
type Duty struct {
	// After is when Do is called first.
	After time.Duration
	// Do is called then, whenever fd is readable, and again after the time that it
	// returned, 0 for not by time. fd is -1 for none. A nil Do is no duty.
	Do func() (fd int, again time.Duration)
}

// Result is how the command ended.
type Result struct {
	Status   syscall.WaitStatus
	TimedOut bool // MaxTime was reached
}

// RefusedError says that a descendant could not be ended.
type RefusedError struct{ PID int }

func (e *RefusedError) Error() string { return "a descendant may not be signalled" }
