// Package proc answers whether a process is still the process that somebody wrote
// down, and signals it so that a recycled pid cannot be hit.
//
// A pid alone says little: the kernel gives it to another process later, and in
// another pid namespace it means another process from the start. So a process is known
// by an [ID], which is compared only within one boot and one pid namespace ([Here]).
//
// The package knows no lock.
package proc

import "errors"

var (
	// ErrGone is returned where the process has ended, or its pid belongs to
	// another one by now.
	ErrGone = errors.New("the process has ended")
	// ErrUnverified is returned where a process with that pid lives, and the
	// system does not tell whether it is the one: an ID by inode without pidfds.
	ErrUnverified = errors.New("the process cannot be verified without pidfds (pidfd_open(2))")
	// ErrElsewhere is returned where a pid cannot be judged, because it was
	// written down in another boot or pid namespace.
	ErrElsewhere = errors.New("the process is in another pid namespace")
)

// BootID is the UUID in /proc/sys/kernel/random/boot_id, as text.
type BootID [36]byte

// Place is where pids have a meaning.
type Place struct {
	Boot BootID
	PIDs uint64 // inode of the pid namespace
}

// ID says which process a pid was. Of Inode and Start one is set: the one that the
// kernel offered when the ID was made.
type ID struct {
	PID int
	// Inode is the pidfd's inode number, which no other process of this boot
	// gets (pidfs, Linux 6.9).
	Inode uint64
	// Start is when the process started, in clock ticks since boot: field 22 of
	// /proc/PID/stat.
	Start uint64
}
