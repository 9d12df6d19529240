//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/signals"
)

// DieBy ends this process by sig, as its command has ended, without a second core
// dump. It returns if the signal does not kill.
func DieBy(sig syscall.Signal) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // a core may go to a pipe, which has no limit
	_ = signals.Default(sig)
	_ = signals.Unblock(sig)
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
}
