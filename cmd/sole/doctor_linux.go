package main

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/signals"
)

// cancelBySignal cancels when a signal asks for the end. The returned function tells
// which one did, 0 if none.
func cancelBySignal(cancel context.CancelFunc) (ended func() syscall.Signal) {
	c, err := signals.Catch(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
	if err != nil {
		return func() syscall.Signal { return 0 } // then it ends by the signal at once
	}
	go func() {
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.FD()), Events: unix.POLLIN}}, -1)
			if err != unix.EINTR {
				cancel()
				return
			}
		}
	}()
	return func() syscall.Signal {
		sig, _ := c.Next()
		return sig.Number
	}
}
