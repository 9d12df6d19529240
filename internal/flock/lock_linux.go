package flock

import (
	"context"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// TryLock takes the exclusive lock on fd without waiting and reports whether it
// got it. The error is an *os.SyscallError.
func TryLock(fd int) (bool, error) {
	for {
		switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
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

// Lock waits for the exclusive lock on fd, in the order of arrival, without
// polling. When ctx ends first, Lock returns ctx's error, the lock is not held,
// and nothing of the wait is left: no goroutine, no thread, and no place in the queue.
func Lock(ctx context.Context, fd int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil {
		return block(fd)
	}
	return blockCancellable(ctx, fd)
}

// Unlock gives the lock up for every process that shares the open file
// description. Closing does so only when the last of them has closed it.
func Unlock(fd int) error {
	return os.NewSyscallError("flock", unix.Flock(fd, unix.LOCK_UN))
}

// block waits in flock(2) on the caller's thread. EINTR comes from a handler
// that was installed without SA_RESTART; it ends nothing here.
//
// The Go runtime's own signal, and those that tell of windows and children, are kept
// out meanwhile: being interrupted costs the place in the queue, even if the call is restarted.
func block(fd int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var quiet, before unix.Sigset_t
	quiet.Val[0] = 1<<(unix.SIGURG-1) | 1<<(unix.SIGWINCH-1) | 1<<(unix.SIGCHLD-1)
	if unix.PthreadSigmask(unix.SIG_BLOCK, &quiet, &before) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) }()
	}
	for {
		if err := unix.Flock(fd, unix.LOCK_EX); err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}
