//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/signals"
)

// spawning is what the assembly needs to start a command. It knows the offsets.
type spawning struct {
	path  *byte
	argv  **byte
	env   **byte
	mask  uint64 // the signal mask that this process was started with
	pidfd int32
	_     int32
	errno int // less than zero if execve(2) failed
}

// spawn starts a child that runs the program; the result is less than zero if there is
// no child. The caller goes on at once, unlike after vfork(2): a key at the terminal may stop
// the child before its execve(2), and somebody has to see to that.
//
//go:noescape
func spawn(s *spawning) (pid int)

// run runs the command while the name is held. It returns only if the ordinary code is
// to go on.
func (r *request) run() {
	s := &now.spawn
	s.path, s.argv, s.env = &now.program[0], r.argv, &now.env[0]
	if r.exec { // the history is closed by it
		_, _ = sys(unix.SYS_EXECVE, uintptr(unsafe.Pointer(s.path)), uintptr(unsafe.Pointer(s.argv)),
			uintptr(unsafe.Pointer(s.env)), 0, 0)
		now.held = true
		return
	}
	s.pidfd = -1
	if !block() {
		now.held = true
		return
	}
	now.pid = spawn(s)
	if now.pid < 0 {
		notStarted()
		return
	}
	if fstat(int(s.pidfd), &now.st) {
		now.rec.Child = proc.ID{PID: now.pid, Inode: now.st.Ino}
		_ = r.record()
	}
	code, signal, ended := r.supervise(now.pid)
	switch {
	case ended && s.errno != 0:
		closeFD(int(s.pidfd))
		now.rec.Child = proc.ID{}
		_ = r.record()
		notStarted()
	case ended:
		if signal != 0 {
			dieBy(signal)
			code = 128 + signal
		}
		exit(code)
	default:
		handOver()
	}
}

// notStarted leaves the lock to the ordinary code, which finds out why there is no
// command. The signals that were taken for it are this process's again.
func notStarted() {
	self := uintptr(now.rec.Holder.PID)
	for sig := uintptr(1); sig <= 64; sig++ {
		if now.passed&(1<<(sig-1)) != 0 {
			_, _ = sys(unix.SYS_TGKILL, self, self, sig, 0, 0)
		}
	}
	_, _ = mask(unix.SIG_SETMASK, now.spawn.mask)
	now.held = true
}

// handOver leaves the command to the ordinary code. Signals that come meanwhile wait:
// most of them blocked; but some the Go runtime lets through at its start, and before it
// handles them itself these go to the pipe that the ordinary code reads then.
func handOver() {
	closeFD(int(now.spawn.pidfd))
	const musl = 34
	for _, sig := range [...]uintptr{uintptr(unix.SIGHUP), uintptr(unix.SIGINT), uintptr(unix.SIGQUIT), uintptr(unix.SIGTERM), musl} {
		if now.ignored&(1<<(sig-1)) == 0 {
			signals.RelayEarly(sig)
		}
	}
	// Those that were ignored are handled by the Go runtime from its start on.
	_, _ = mask(unix.SIG_BLOCK, now.ignored)
	now.held, now.running = true, true
}

// unheard are the signals that the Go runtime takes without a word, and that would kill
// here.
const unheard = 1<<(unix.SIGPIPE-1) | 1<<(unix.SIGXCPU-1) | 1<<(unix.SIGXFSZ-1)

// block blocks the signals that a supervisor takes, so that they wait; those that this
// process was started with ignored stay so, and the command inherits that.
func block() (ok bool) {
	for sig := uintptr(1); sig < 32; sig++ {
		if signals.Supervised&(1<<(sig-1)) != 0 && ignored(sig) {
			now.ignored |= 1 << (sig - 1)
		}
	}
	now.spawn.mask, ok = mask(unix.SIG_BLOCK, signals.Supervised&^now.ignored|unheard)
	return ok
}

// noteIgnored remembers for the ordinary code which signals are ignored: the Go runtime puts
// its handlers there.
func noteIgnored() {
	for sig := uintptr(1); sig <= 64; sig++ {
		if ignored(sig) {
			now.started |= 1 << (sig - 1)
		}
	}
}

func ignored(sig uintptr) bool {
	_, errno := sys(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&now.act)), 8, 0)
	const ignore = 1 // SIG_IGN
	return errno == 0 && now.act[0] == ignore
}

// dieBy ends this process by sig, as supervise.DieBy does. It returns if the signal
// does not kill.
func dieBy(sig int) {
	now.lk = syscall.Flock_t{} // as a struct rlimit
	_, _ = sys(unix.SYS_SETRLIMIT, unix.RLIMIT_CORE, uintptr(unsafe.Pointer(&now.lk)), 0, 0, 0)
	_, _ = sys(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	now.act = [4]uint64{} // the default
	_, _ = sys(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&now.act)), 0, 8, 0)
	_, _ = mask(unix.SIG_UNBLOCK, 1<<(sig-1))
	pid, _ := sys(unix.SYS_GETPID, 0, 0, 0, 0, 0)
	_, _ = sys(unix.SYS_TGKILL, uintptr(pid), uintptr(pid), uintptr(sig), 0, 0)
}
