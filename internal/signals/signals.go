// Package signals receives signals together with who sent them, and interrupts a
// thread that waits in the kernel.
//
// os/signal tells neither the sender nor whether a signal came from the terminal,
// which a supervisor must know: the terminal has already delivered its signals to
// the command too. It also starts threads, which cost a short-lived program more than
// all its other work. Here a handler of a few instructions writes the siginfo_t to a
// pipe, in the manner known as the self-pipe trick, and the program reads the pipe when
// it is ready to.
//
// The package replaces dispositions behind the Go runtime's back. A program must
// not use it and os/signal for the same signals.
package signals

import "syscall"

// Signal is one received signal.
type Signal struct {
	Number syscall.Signal
	// FromKernel is set when the kernel made the signal by itself: a key at the
	// terminal, a hang-up, a child's end. kill(2) and its relatives leave it unset.
	FromKernel bool
	// Sender is the process that sent the signal, 0 if it is the kernel or in a
	// pid namespace that cannot be seen from here.
	Sender int
}

// Supervised are the signals, as a mask, that are a command's and not its supervisor's,
// and those that tell of the command. What is left out comes from a process's own
// doing (SIGSEGV, SIGPIPE, …), or belongs to the Go runtime (SIGURG) or the C library
// (32, 33). The numbers are those of Linux on amd64 and arm64.
const Supervised uint64 = 1<<0 | 1<<1 | 1<<2 | // SIGHUP, SIGINT, SIGQUIT
	1<<(10-1) | 1<<(12-1) | 1<<(14-1) | 1<<(15-1) | // SIGUSR1, SIGUSR2, SIGALRM, SIGTERM
	1<<(17-1) | 1<<(18-1) | 1<<(20-1) | 1<<(21-1) | 1<<(22-1) | // SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU
	1<<(26-1) | 1<<(28-1) | 1<<(29-1) | 1<<(30-1) | // SIGVTALRM, SIGWINCH, SIGIO, SIGPWR
	^uint64(1<<33-1) // 34 to 64, the real-time ones
