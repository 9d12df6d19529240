//go:build linux && (amd64 || arm64)

package signals

import (
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Interrupter returns a signal whose only effect is that a thread that receives
// it leaves the system call in which it waits, with EINTR. Send it with tgkill(2) to
// threads of this process only.
//
// It is a real-time signal that nobody else handles. The Go runtime does handle all
// of them, with SA_RESTART, which is what keeps a thread inside flock(2); so this
// one gets a handler that returns at once and no SA_RESTART. A program that asked
// os/signal for every signal does not see it.
var Interrupter = sync.OnceValues(func() (syscall.Signal, error) {
	var runtimes sigaction
	// The runtime preempts goroutines with SIGURG, so this handler is its own.
	if err := rtSigaction(unix.SIGURG, nil, &runtimes); err != nil {
		return 0, err
	}
	act := sigaction{
		handler:  ignorePC(),
		flags:    saOnStack | saRestorer,
		restorer: restorerPC(),
	}
	const first, last = syscall.Signal(40), syscall.Signal(62)
	for sig := last; sig >= first; sig-- {
		var old sigaction
		if err := rtSigaction(sig, nil, &old); err != nil {
			return 0, err
		}
		if old.handler != 0 && old.handler != runtimes.handler {
			continue
		}
		return sig, rtSigaction(sig, &act, nil)
	}
	return 0, errors.New("signals: every real-time signal is in use")
})
