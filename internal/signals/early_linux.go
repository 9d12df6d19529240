//go:build linux && (amd64 || arm64)

package signals

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// earlyPipe is that of RelayEarly, zeros if there is none.
var (
	earlyPipe   [2]int32
	earlyAction sigaction
)

// RelayEarly has the handler take sig already before the Go runtime starts. [Catch] goes
// on with what has come by then. It is for signals that the runtime lets through at its
// start although they are blocked: those that kill, before it has installed its own
// handler, and 34, for which it has none. RelayEarly itself needs no runtime.
func RelayEarly(sig uintptr) {
	if earlyPipe[1] == 0 {
		_, _, errno := syscall.RawSyscall6(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&earlyPipe)), unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0, 0, 0)
		if errno != 0 {
			return
		}
		// All that waits comes at once when it is let through.
		const room = 1 << 20
		_, _, _ = syscall.RawSyscall6(unix.SYS_FCNTL, uintptr(earlyPipe[1]), unix.F_SETPIPE_SZ, room, 0, 0, 0)
	}
	pipeWriter = uintptr(earlyPipe[1])
	earlyAction = relayAction()
	_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&earlyAction)), 0, 8, 0, 0)
}

// newPipe is that of RelayEarly, or a new one.
func newPipe() (p [2]int, err error) {
	if earlyPipe[1] != 0 {
		p = [2]int{int(earlyPipe[0]), int(earlyPipe[1])}
		earlyPipe = [2]int32{}
		return p, nil
	}
	err = unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK)
	return p, err
}
