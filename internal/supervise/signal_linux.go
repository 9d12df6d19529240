//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/signals"
)

// takeSignals handles the signals that have come.
func (r *run) takeSignals() {
	for {
		s, ok := r.nextSignal()
		if !ok {
			return
		}
		switch s.Number {
		case unix.SIGCHLD:
			r.childEnded()
		case unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
			r.stop(s)
		case unix.SIGCONT:
			r.resume(s)
		default:
			if !r.delivered(s) {
				r.signal(s.Number)
			}
		}
	}
}

// nextSignal takes the oldest signal.
func (r *run) nextSignal() (signals.Signal, bool) {
	if len(r.queue) > 0 {
		s := r.queue[0]
		r.queue = r.queue[1:]
		return s, true
	}
	return r.catcher.Next()
}

// stopFollows reports whether the terminal has stopped the job again already. It
// stops one process of the group after the other: this one's turn comes within the timeout.
func (r *run) stopFollows() bool {
	fds := []unix.PollFd{{Fd: int32(r.catcher.FD()), Events: unix.POLLIN}}
	timeout := unix.NsecToTimespec((5 * time.Millisecond).Nanoseconds())
	_, _ = unix.Ppoll(fds, &timeout, nil)
	for {
		s, ok := r.catcher.Next()
		if !ok {
			break
		}
		r.queue = append(r.queue, s)
	}
	return slices.ContainsFunc(r.queue, func(s signals.Signal) bool { return s.FromKernel && stops(s.Number) })
}

func stops(sig syscall.Signal) bool {
	return sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU
}

// delivered reports whether the command has got the signal already. The terminal
// sends its signals to the whole foreground process group, to which both belong; those
// are the kernel's. Only a hang-up goes to the session's leader alone (tty_io.c,
// tty_signal_session_leader).
func (r *run) delivered(s signals.Signal) bool {
	if !s.FromKernel {
		return false
	}
	if s.Number == unix.SIGHUP {
		sid, err := unix.Getsid(0)
		return err != nil || sid != os.Getpid()
	}
	return true
}

// stop stops this process after the command, as the shell that waits for it expects.
func (r *run) stop(s signals.Signal) {
	if !s.FromKernel && s.Number == unix.SIGTSTP && !r.fromCommand(s.Sender) {
		r.signal(s.Number)
	}
	if r.done() {
		return
	}
	r.stopped = true
	r.catcher.StopBy(s.Number)
}

// fromCommand reports whether pid is the command or below it: an editor that
// suspends itself signals its whole process group.
func (r *run) fromCommand(pid int) bool {
	return pid == r.pid || pid > 0 && slices.Contains(proc.Ancestors(pid), r.pid)
}

// resume passes SIGCONT on, unless a shell has sent it to the whole process group
// and the command runs again already.
func (r *run) resume(s signals.Signal) {
	wasStopped := r.stopped
	r.stopped = false
	if r.delivered(s) {
		return
	}
	if wasStopped {
		st, err := proc.ReadStat(r.pid)
		if err == nil && st.State != 'T' || r.stopFollows() {
			return
		}
	}
	r.signal(unix.SIGCONT)
}

// signal sends sig to the command, or to what it left behind.
func (r *run) signal(sig syscall.Signal) {
	if !r.ended {
		r.signalCommand(sig)
		return
	}
	r.signalTree(sig)
}

func (r *run) signalCommand(sig syscall.Signal) {
	if r.command != nil {
		_ = r.command.Signal(sig) // ErrGone: its end is about to be noticed
		return
	}
	if !r.ended { // no pidfd: the pid cannot be recycled before it is waited for
		_ = unix.Kill(r.pid, sig)
	}
}

// signalTree sends sigs to each descendant. It tells once of each that refuses.
func (r *run) signalTree(sigs ...syscall.Signal) {
	found, refused, err := proc.SignalDescendants(os.Getpid(), r.spec.Aside, sigs...)
	if err != nil {
		r.warn(err)
		return
	}
	for _, pid := range refused {
		if r.refused == nil {
			r.refused = make(map[int]bool)
		}
		if !r.refused[pid] {
			r.refused[pid] = true
			r.warn(&RefusedError{pid})
		}
	}
	if r.ended && found > 0 && found == len(refused) {
		r.empty = true // nothing that is left can be ended: go on without
	}
}

func (r *run) warn(err error) {
	if r.spec.Warn != nil {
		r.spec.Warn(err)
	}
}

// childEnded notices the end of the command or of an orphan, and begins to end what
// is left if that is wanted.
func (r *run) childEnded() {
	wasEnded := r.ended
	r.reap()
	if !r.ended || r.empty {
		return
	}
	switch {
	case !wasEnded && r.spec.KillTree && !r.spec.UntilTree && !r.ending:
		r.end(time.Now())
	case r.ending && r.killAt.IsZero():
		// Already past the grace: a child that was started while its parent was being
		// killed has come to the surface.
		r.kill()
	}
}

// end asks what is left of the run to end, and sets the time for killing it.
func (r *run) end(now time.Time) {
	r.ending = true
	r.killAt = now.Add(r.spec.Grace)
	// A stopped process takes SIGTERM only when it goes on.
	if r.wholeTree() {
		r.signalTree(unix.SIGTERM, unix.SIGCONT)
		return
	}
	r.signalCommand(unix.SIGTERM)
	r.signalCommand(unix.SIGCONT)
}

// kill ends what is left at once. Descendants are stopped first, so that none
// starts another between being seen and being killed.
func (r *run) kill() {
	if r.wholeTree() {
		r.signalTree(unix.SIGSTOP)
		r.signalTree(unix.SIGKILL)
		return
	}
	r.signalCommand(unix.SIGKILL)
}
