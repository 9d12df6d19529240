package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/top"
)

// escapeTime is how long the rest of a key may take that begins with an escape.
const escapeTime = 50 * time.Millisecond

// readKeys reads the terminal until it is gone.
func readKeys(key func(top.Key), paste func(top.Pasted), gone func()) {
	var d top.Decoder
	buf := make([]byte, 4096)
	more := false
	for {
		timeout := -1
		if more {
			timeout = int(escapeTime.Milliseconds())
		}
		ready, err := unix.Poll([]unix.PollFd{{Fd: 0, Events: unix.POLLIN}}, timeout)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			gone()
			return
		case ready == 0:
			more = d.Feed(nil, key, paste)
			continue
		}
		n, err := unix.Read(0, buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil || n == 0:
			gone()
			return
		default:
			more = d.Feed(buf[:n], key, paste)
		}
	}
}
