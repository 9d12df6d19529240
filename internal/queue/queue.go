// Package queue keeps the order in which starts wait for a lock file.
//
// The kernel serves those that block on flock(2) in their order, but a start that comes
// between the end of one holder and the waking of the next one gets in before it. So each
// waiter also has a [Ticket]: a mark ([flock.Mark]) on the lock file at an offset that is the
// time of its arrival. Whoever gets the lock looks whether somebody with an earlier ticket still
// waits, and if so gives the lock back. Nothing is written, and a ticket ends with its waiter.
//
// A waiter that is stopped (SIGSTOP) keeps its ticket, but does not count as ahead of
// anybody until it goes on.
//
// What is not promised: order between pid namespaces where the pid of a waiter means a
// stopped process in the other one, and order between hosts or time namespaces
// (time_namespaces(7)).
//
// The package knows no holder and takes no lock.
package queue

import "time"

// Class is what a waiter waits for, and so whom it goes before.
type Class uint8

const (
	// Exclusive waits for all others to be gone.
	Exclusive Class = iota
	// Shared waits for an exclusive holder to be gone.
	Shared
	// Slot waits for one of several places.
	Slot
	// Front is exclusive, and goes before all of the other classes.
	Front
)

// The bytes that tickets mark: far behind the end of every file, in the order of
// arrival, in nanoseconds since the host started (2^61 of them are 73 years).
const (
	frontFrom = 1 << 61
	queueFrom = 1 << 62 // Exclusive ones with exclusive marks, Shared ones with shared marks
	slotsFrom = queueFrom + 1<<61
	slotsEnd  = 1<<63 - 1
	span      = 1 << 61
)

// The bytes that tell whose a ticket is: by the low bits of its time, and the pid. Pids are
// below 2^22 (pid_max in proc_sys_kernel(5)).
const (
	whoFrom = 1 << 60
	pidBits = 22
	lowBits = 60 - pidBits
)

// The bytes before those, one a pid, tell who gives out the slots ([AtGate]).
const gateFrom = whoFrom - 1<<pidBits

// Waiter is one that waits.
type Waiter struct {
	// PID is 0 where it is not known.
	PID   int
	Class Class
	// Since is the arrival, by the time since the host started, suspension included
	// (CLOCK_BOOTTIME).
	Since time.Duration
	// Stopped is set for a process that SIGSTOP or a tracer has stopped.
	Stopped bool
}
