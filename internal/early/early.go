// Package early does the plain case of `sole run` before the Go runtime starts.
//
// Starting the Go runtime takes longer than all of a short run, and longer than the
// whole of `flock -n` that finds its file held. So the program's entry point is
// [Entry] instead of the runtime's. It looks whether the case is a plain one, does
// it, and exits. In any doubt it undoes what it did, and jumps to the runtime's own
// entry point, as if nothing had happened: the ordinary code then does everything,
// with all the messages. When something happens to the lock file of a running command, that is
// handed over in the same way: the runtime starts, and the ordinary code takes the lock
// ([Take]) and the command ([Adopt]) over. So it does with the lock alone where the command
// turns out not to be one that can be started.
//
// Linked without `-ldflags "-E _sole_early"` a program never comes here, and is the same
// but slower. That is also the way to switch it off.
//
// # What this code may do
//
// There is no heap, no scheduler, no signal handler, and no variable that is not a
// constant in the file: init functions have not run. So there is no append that may grow, no
// map, channel, closure that escapes, defer, conversion to an interface or from bytes to a
// string that is kept, and nothing of the packages os, time, fmt, errors and so on that
// needs any of these. What is called in other rooms keeps to this too. A test walks
// the calls in the linked program, and fails on any that leads into the runtime.
//
// Memory is in variables without an initial value; each page of them that is touched costs
// about as much as ten system calls. A fault, such as an index out of range, ends the process by
// SIGSEGV, which frees the lock.
package early

// Entry is the symbol of the entry point, for the linker's flag -E.
const Entry = "_sole_early"

// Held is a name that was taken.
type Held struct {
	Name     string
	Dir      string // its directory, without links
	FD       int    // of the lock file, which outlives execve(2) already
	Size     int64
	Dev, Ino uint64
	Limit    uint64
	// Remembered is set when the end of the run is in the history already.
	Remembered bool
}

// Running is a command that was started.
type Running struct {
	PID int
	// Stopped is set when this process stopped itself with the command, and the
	// signal to go on has not come yet.
	Stopped bool
	// Mask is the signal mask that this process was started with.
	Mask uint64
	// Ignored are the signals that it was started with ignored, as a mask.
	Ignored uint64
}
