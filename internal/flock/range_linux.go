package flock

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// TryRange takes the fcntl(2) lock on the whole of fd's file, as far as a file can go,
// without waiting, and reports whether it got it. It is an open file description lock, so it excludes
// and is excluded by the locks of processes (F_SETLK, lockf(3)) too. fd must be open for writing
// if it is to be exclusive, else for reading. Where the system refuses, the error wraps [ErrMarks].
//
// A mark is such a lock on a byte, so a file has either marks or this.
func TryRange(fd int, kind Kind) (bool, error) {
	switch err := setMarks(fd, 0, 0, markType(kind), unix.F_OFD_SETLK); err {
	case nil:
		return true, nil
	case unix.EAGAIN, unix.EACCES:
		return false, nil
	default:
		return false, fmt.Errorf("%w: %w", ErrMarks, os.NewSyscallError("fcntl", err))
	}
}

// LockRange waits for the lock of [TryRange], as [Lock] does for the other one.
func LockRange(ctx context.Context, fd int, kind Kind) error {
	return wait(ctx, "fcntl", func() error { return setMarks(fd, 0, 0, markType(kind), unix.F_OFD_SETLKW) })
}

// UnlockRange gives up whatever fd's description has of fcntl(2) locks.
func UnlockRange(fd int) error { return UnmarkAll(fd, 0, 0) }
