package flock

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// how is the operation of flock(2) for the kind.
func (k Kind) how() int {
	if k == Shared {
		return unix.LOCK_SH
	}
	return unix.LOCK_EX
}

// TryLock takes the lock on fd without waiting and reports whether it got it. The
// error is an *os.SyscallError. fd must not be locked already: a change of kind is not
// atomic (flock(2)).
func TryLock(fd int, kind Kind) (bool, error) {
	for {
		switch err := unix.Flock(fd, kind.how()|unix.LOCK_NB); err {
		case nil:
			return true, nil
		case unix.EWOULDBLOCK:
			return false, nil
		case unix.EINTR:
		default:
			return false, os.NewSyscallError("flock", err)
		}
	}
}

// Lock waits for the lock on fd without polling, in the order of arrival among those
// that wait in the kernel. When ctx ends first, Lock returns ctx's error, the lock is not held,
// and nothing of the wait is left: no goroutine, no thread, and no place in the queue.
func Lock(ctx context.Context, fd int, kind Kind) error {
	return wait(ctx, "flock", func() error { return unix.Flock(fd, kind.how()) })
}

// Unlock gives the lock up for every process that shares the open file
// description. Closing does so only when the last of them has closed it.
func Unlock(fd int) error {
	return os.NewSyscallError("flock", unix.Flock(fd, unix.LOCK_UN))
}
