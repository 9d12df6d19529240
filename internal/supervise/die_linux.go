//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/signals"
)

// DieBy ends this process by sig, as its command has ended, without a second core
// dump. It returns if the signal does not kill.
func DieBy(sig syscall.Signal) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // a core may go to a pipe, which has no limit
	runtime.LockOSThread()                           // whose mask it is, and which is to be hit
	_ = signals.Default(sig)
	_ = signals.Unblock(sig)
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
	if os.Getpid() == 1 {
		return // the first process of a container is killed by no signal of its own
	}
	// On a busy host it was seen, rarely, to come back from there. Then any thread may take it.
	_ = unix.Kill(os.Getpid(), sig)
	time.Sleep(deathWait)
}

// deathWait is how long a signal that kills may take to do so.
const deathWait = 100 * time.Millisecond
