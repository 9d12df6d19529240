package sole

import (
	"errors"
	"fmt"
	"strings"
)

// BusyError says that a name, or a file that was to be held with it, is held.
type BusyError struct {
	Name string
	// Holder is who holds it. Its PID is 0 where that cannot be known, and its State
	// may be [Free] when the name is free this moment and others wait for it (Waiters).
	Holder Status
	// Queued is set when the start was one too many to wait ([Queue]).
	Queued bool
	// Young is set when the holder has not run for as long as [Replacement] asks for.
	Young bool
	// File is the file of the [File] option that is locked, or that of [TryLockDescriptor], where
	// there is no Name; "" if it is the name.
	File string
	// PidFile is the pid file whose process lives, and Socket the address at which
	// somebody listens, "" if it is not that. Holder is that process, its PID 0 if it is not known.
	PidFile, Socket string
	// Doubt is why it is not known whether the process of PidFile lives, or the one at
	// Socket, "" if it does.
	Doubt string
	// Unverified is set when PidFile was written by a program that says nothing but a pid,
	// which may have been recycled.
	Unverified bool
	// InRow is how many starts were skipped since the name was taken, this one included; 0 if that is
	// not known.
	InRow int64
	// HistoryErr says that the skip could not be written into the history ([History]), nil if it was, or
	// was not to be.
	HistoryErr error
	// Err is why a wait ended, nil if there was none: the context's error.
	Err error
}

func (e *BusyError) Error() string {
	var b strings.Builder
	if e.File != "" {
		if e.Name != "" {
			b.WriteString(e.Name + ": ")
		}
		fmt.Fprintf(&b, "%s is locked", e.File)
	} else if e.PidFile != "" {
		fmt.Fprintf(&b, "%s: %s is held", e.Name, e.PidFile)
	} else if e.Socket != "" {
		fmt.Fprintf(&b, "%s: %s is held", e.Name, e.Socket)
	} else if e.Queued {
		fmt.Fprintf(&b, "%s is held and already queued for", e.Name)
	} else if e.Holder.State == Free && e.Holder.Waiters > 0 {
		fmt.Fprintf(&b, "%s is about to be taken: %d waiting", e.Name, e.Holder.Waiters)
	} else {
		fmt.Fprintf(&b, "%s is held", e.Name)
	}
	if e.Holder.PID != 0 {
		fmt.Fprintf(&b, " by pid %d", e.Holder.PID)
	} else if e.Holder.ChildPID != 0 {
		fmt.Fprintf(&b, " by pid %d, left by a supervisor that ended", e.Holder.ChildPID)
	}
	if e.Doubt != "" {
		fmt.Fprintf(&b, ": %s", e.Doubt)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *BusyError) Unwrap() error { return e.Err }

// UnsafeError says that a place or file cannot be trusted, so that it was not used.
type UnsafeError struct {
	Path    string
	Problem string // what is wrong with Path
	Remedy  string // what to do about it, "" if that is not known
}

func (e *UnsafeError) Error() string { return e.Path + " " + e.Problem }

// PidFileError says that what is at the path of a pid file is no pid file (by an
// acquire), or not the one that was written any more (Lost). It was left alone.
type PidFileError struct {
	Path    string
	Problem string // what is wrong with Path
	Lost    bool
}

func (e *PidFileError) Error() string { return e.Path + " " + e.Problem }

// SocketError says that something else is where a socket should be.
type SocketError struct {
	Path    string
	Problem string
}

func (e *SocketError) Error() string { return e.Path + " " + e.Problem }

// SquattedError says that a stranger has the abstract address of a name, so that nobody
// finds the holder there. He does not hold the name.
type SquattedError struct {
	Address string
	// Known is set when the kernel names the stranger: the process PID of UID.
	Known    bool
	UID, PID int
}

func (e *SquattedError) Error() string {
	if !e.Known {
		return e.Address + " is taken by somebody who does not answer"
	}
	return fmt.Sprintf("%s is taken by pid %d of uid %d", e.Address, e.PID, e.UID)
}

// NameError says why something is not a name.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string {
	n := e.Name
	if len(n) > 140 {
		n = n[:140] + "…"
	}
	return fmt.Sprintf("%q is not a name: %s", n, e.Reason)
}

// DescriptorError says that nothing can be locked on a descriptor.
type DescriptorError struct {
	FD      int
	Problem string // what is wrong with it
	Remedy  string // what to do about it, "" if that is not known
}

func (e *DescriptorError) Error() string { return fmt.Sprintf("descriptor %d %s", e.FD, e.Problem) }

// AncestorError says that a wait would never end, because the caller runs under the
// holder of the name.
type AncestorError struct {
	Name   string
	Holder Status
}

func (e *AncestorError) Error() string {
	return fmt.Sprintf("%s is held by an ancestor of this process, so waiting for it would never end", e.Name)
}

// BrokenError says that the filesystem grants a lock twice.
type BrokenError struct {
	Path       string
	Filesystem string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("%s: locks exclude nobody on this filesystem (%s)", e.Path, e.Filesystem)
}

// DisturbedError says that somebody deleted or replaced the lock file of a name
// while it was held.
type DisturbedError struct {
	Name string
	Path string
	// Restored is set when the file was put back, locked, with nobody in between.
	Restored bool
	// Holder is who got the name in between, if somebody did: then two hold it.
	Holder *Status
	// Err is why the file could not be put back.
	Err error
}

func (e *DisturbedError) Error() string {
	switch {
	case e.Restored:
		return fmt.Sprintf("%s was deleted or replaced while %s was held; it is back", e.Path, e.Name)
	case e.Holder != nil:
		return fmt.Sprintf("%s was deleted or replaced while %s was held, and pid %d got the name in between",
			e.Path, e.Name, e.Holder.PID)
	}
	return fmt.Sprintf("%s was deleted or replaced while %s was held: %v", e.Path, e.Name, e.Err)
}

// Unwrap returns Err.
func (e *DisturbedError) Unwrap() error { return e.Err }

var (
	// ErrFree is returned where a holder is needed and there is none.
	ErrFree = errors.New("the name is not held")
	// ErrElsewhere is returned where a holder cannot be signalled because it is in
	// another pid namespace or on another host.
	ErrElsewhere = errors.New("the holder is in another pid namespace or on another host")
	// ErrReleased is returned by the methods of a Lock that was released.
	ErrReleased = errors.New("the lock was released")
)
