package flock

import (
	"context"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/signals"
)

// How often a wait that was cancelled is interrupted until it ends. The first
// signal may come before the thread is inside flock(2), hence more than one.
const (
	firstInterrupt = 50 * time.Microsecond
	lastInterrupt  = 10 * time.Millisecond
)

// blockCancellable waits on a thread of its own, which a signal takes out of
// flock(2) when ctx ends; closing the descriptor would not. The thread is never
// abandoned, because an abandoned waiter gets the lock later, for nobody.
func blockCancellable(ctx context.Context, fd int) error {
	sig, err := signals.Interrupter()
	if err != nil {
		return err
	}
	tid := make(chan int, 1)
	done := make(chan error, 1)
	go func() {
		// The thread stays locked, so that it ends with this goroutine.
		runtime.LockOSThread()
		only(sig)
		tid <- unix.Gettid()
		for {
			err := unix.Flock(fd, unix.LOCK_EX)
			if err == unix.EINTR && ctx.Err() == nil {
				continue
			}
			done <- err
			return
		}
	}()
	select {
	case err := <-done:
		return lockResult(ctx, err)
	case <-ctx.Done():
	}
	thread, pid := <-tid, os.Getpid()
	for pause := firstInterrupt; ; pause = min(2*pause, lastInterrupt) {
		// ESRCH: the thread has ended, and its result is in done.
		_ = unix.Tgkill(pid, thread, sig)
		timer := time.NewTimer(pause)
		select {
		case err := <-done:
			timer.Stop()
			if err == nil {
				err = unix.EINTR
				_ = unix.Flock(fd, unix.LOCK_UN)
			}
			return lockResult(ctx, err)
		case <-timer.C:
		}
	}
}

// only lets no signal but sig through to this thread. Any other, even one whose handler
// restarts the call, takes the waiter out of the kernel's queue and puts it back at the end.
func only(sig syscall.Signal) {
	var set unix.Sigset_t
	for i := range set.Val {
		set.Val[i] = ^set.Val[i]
	}
	set.Val[(sig-1)/64] &^= 1 << ((sig - 1) % 64)
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &set, nil)
}

// lockResult turns an interrupted wait into the reason for the interruption.
func lockResult(ctx context.Context, err error) error {
	if err == unix.EINTR {
		return ctx.Err()
	}
	return os.NewSyscallError("flock", err)
}
