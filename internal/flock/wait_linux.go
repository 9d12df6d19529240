package flock

import (
	"context"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/signals"
)

// How often a wait that was cancelled is interrupted until it ends. The first
// signal may come before the thread is inside the system call, hence more than one.
const (
	firstInterrupt = 50 * time.Microsecond
	lastInterrupt  = 10 * time.Millisecond
)

// maxHere is how many cancellable waits use the threads of their callers at a time. Waking
// another thread costs more than all the rest of a hand-over. But the runtime keeps each
// thread that ever blocked, so what comes on top waits on threads that end with the wait.
const maxHere = 4

var here atomic.Int32

// wait runs call, one system call that blocks until it got something and that a
// signal ends with EINTR, until it succeeds or ctx ends. name is that of the system call.
//
// A signal takes it out of the kernel when ctx ends; closing the descriptor would
// not. The wait is never abandoned, because an abandoned waiter gets the lock later, for nobody.
func wait(ctx context.Context, name string, call func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil {
		return os.NewSyscallError(name, waitHere(ctx, 0, call))
	}
	sig, err := signals.Interrupter()
	if err != nil {
		return err
	}
	if here.Add(1) <= maxHere {
		err = waitHere(ctx, sig, call)
	} else {
		err = waitApart(ctx, sig, call)
	}
	here.Add(-1)
	if err == unix.EINTR {
		return ctx.Err()
	}
	return os.NewSyscallError(name, err)
}

// waitHere waits on the caller's thread. Without a sig nothing ends the wait.
func waitHere(ctx context.Context, sig syscall.Signal, call func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.Sigset_t
	set := allBut(sig)
	if unix.PthreadSigmask(unix.SIG_SETMASK, &set, &before) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) }()
	}
	if sig != 0 {
		over, gone, tid := make(chan struct{}), make(chan struct{}), unix.Gettid()
		stop := context.AfterFunc(ctx, func() {
			defer close(gone)
			interrupt(tid, sig, over)
		})
		defer func() {
			close(over)
			if !stop() {
				<-gone // a late signal would end some other call of this thread
			}
		}()
	}
	return repeat(ctx, call)
}

// waitApart waits on a thread of its own.
func waitApart(ctx context.Context, sig syscall.Signal, call func() error) error {
	tid, done := make(chan int, 1), make(chan error, 1)
	over := make(chan struct{})
	go func() {
		// The thread stays locked, so that it ends with this goroutine.
		runtime.LockOSThread()
		set := allBut(sig)
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &set, nil)
		tid <- unix.Gettid()
		err := repeat(ctx, call)
		close(over)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// ESRCH: the thread has ended, and its result is in done.
		interrupt(<-tid, sig, over)
		return <-done
	}
}

// repeat makes the call again when a signal ended it that was not for it.
func repeat(ctx context.Context, call func() error) error {
	for {
		if err := call(); err != unix.EINTR || ctx.Err() != nil {
			return err
		}
	}
}

// interrupt sends sig to the thread until over is closed.
func interrupt(tid int, sig syscall.Signal, over <-chan struct{}) {
	pid := os.Getpid()
	for pause := firstInterrupt; ; pause = min(2*pause, lastInterrupt) {
		_ = unix.Tgkill(pid, tid, sig)
		timer := time.NewTimer(pause)
		select {
		case <-over:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// allBut is every signal but sig. Any that gets through, even one whose handler restarts
// the call, takes the waiter out of the kernel's queue and puts it back at the end. Those of a fault
// stay out too: the thread runs nothing of its own meanwhile.
func allBut(sig syscall.Signal) unix.Sigset_t {
	var set unix.Sigset_t
	for i := range set.Val {
		set.Val[i] = ^set.Val[i]
	}
	if sig != 0 {
		set.Val[(sig-1)/64] &^= 1 << ((sig - 1) % 64)
	}
	return set
}
