//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"github.com/sole-run/sole/internal/fixed"
	"golang.org/x/sys/unix"
)

// Job control, as internal/supervise has it.

func stops(sig syscall.Signal) bool {
	return sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU
}

// forward passes a signal on to the command.
func forward(sig syscall.Signal) {
	_, _ = sys(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(now.spawn.pidfd), uintptr(sig), 0, 0, 0)
}

// stop stops this process after the command, as the shell that waits for it expects, and
// returns when it goes on.
func stop(info *siginfo, command int) {
	sig := syscall.Signal(info.signo)
	if info.code <= 0 && sig == unix.SIGTSTP && !fromCommand(int(info.pid), command) {
		forward(sig)
	}
	now.stopped = true
	self := uintptr(now.rec.Holder.PID)
	_, _ = sys(unix.SYS_TGKILL, self, self, uintptr(sig), 0, 0)
	_, _ = mask(unix.SIG_UNBLOCK, 1<<(sig-1)) // here it stops
	_, _ = mask(unix.SIG_BLOCK, 1<<(sig-1))
}

// fromCommand reports whether pid is the command or below it: an editor that suspends
// itself signals its whole process group.
func fromCommand(pid, command int) bool {
	for range 1000 {
		if pid == command {
			return true
		}
		_, parent, ok := processStat(pid)
		if !ok || parent <= 0 {
			return false
		}
		pid = parent
	}
	return false
}

// resume passes SIGCONT on, unless a shell has sent it to the whole process group and the
// command runs again already, or the terminal has stopped the job again.
func resume(info *siginfo, command int) {
	wasStopped := now.stopped
	now.stopped = false
	if delivered(info) {
		return
	}
	if !wasStopped {
		forward(unix.SIGCONT)
		return
	}
	if state, _, ok := processStat(command); ok && state != 'T' {
		return
	}
	const stopping = 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1)
	const soon = 5e6 // the terminal stops one process of the group after the other
	again := nextWithin(stopping&^now.ignored&^now.spawn.mask, soon) == 0
	if !again || info.code <= 0 {
		forward(unix.SIGCONT)
	}
	if again {
		stop(info, command)
	}
}

// processStat reads the state of a process and its parent from /proc/PID/stat.
func processStat(pid int) (state byte, parent int, ok bool) {
	if pid <= 0 {
		return 0, 0, false
	}
	w := fixed.Writer{B: now.line[:]}
	w.Text("/proc/")
	w.Number(uint64(pid))
	w.Text("/stat\x00")
	b, errno := readFile(&now.line[0])
	if errno != 0 {
		return 0, 0, false
	}
	for len(b) > 0 && b[len(b)-1] != ')' { // it ends the name, which may contain anything
		b = b[:len(b)-1]
	}
	rest := now.file[len(b):]
	// " S PARENT …"
	if len(b) == 0 || len(rest) < 20 || rest[0] != ' ' || rest[2] != ' ' {
		return 0, 0, false
	}
	for i := 3; rest[i] >= '0' && rest[i] <= '9'; i++ {
		parent = 10*parent + int(rest[i]-'0')
	}
	return rest[1], parent, true
}

// delivered reports whether the command has got the signal already. What the kernel made
// comes from the terminal, which sends it to the whole foreground process group; only a
// hang-up goes to the session's leader alone.
func delivered(info *siginfo) bool {
	if info.code <= 0 {
		return false
	}
	if info.signo == int32(unix.SIGHUP) {
		sid, _ := sys(unix.SYS_GETSID, 0, 0, 0, 0, 0)
		return sid != now.rec.Holder.PID
	}
	return true
}

// siginfo is the beginning of a siginfo_t.
type siginfo struct {
	signo, errno, code, _ int32
	pid, uid, status      int32
}

// taken is the signal that was taken last.
func taken() *siginfo { return (*siginfo)(unsafe.Pointer(&now.info)) }
