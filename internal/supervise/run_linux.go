//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/signals"
)

// caught are the signals that this room takes.
func caught() []syscall.Signal {
	var all []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if signals.Supervised&(1<<(sig-1)) != 0 {
			all = append(all, sig)
		}
	}
	return all
}

// run is a command under supervision.
type run struct {
	spec    Spec
	catcher *signals.Catcher
	pid     int
	command *proc.Handle // nil once the command has been waited for
	result  Result
	ended   bool             // the command has been waited for
	empty   bool             // no child is left
	stopped bool             // this process stopped itself with the command
	queue   []signals.Signal // taken, and not handled yet

	limitAt, killAt time.Time
	ending          bool // what is left is being ended
	duties          []duty
	refused         map[int]bool
}

// duty is a [Duty] and when it is due.
type duty struct {
	do func() (fd int, again time.Duration)
	at time.Time // zero: not by time
	fd int       // -1 for none
}

// start begins to receive signals and starts the command. The error is that of
// execve(2), an errno that errors.Is can find, if the program could not be started.
func start(spec Spec) (*run, error) {
	r := &run{spec: spec}
	if spec.Running != nil {
		return r, r.adopt()
	}
	if r.wholeTree() {
		// What loses its parent becomes this process's child (prctl(2)).
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, os.NewSyscallError("prctl", err)
		}
	}
	// Before the command starts, so that no signal falls in between: those that
	// come now wait in the pipe.
	c, err := signals.Catch(caught()...)
	if err != nil {
		return nil, err
	}
	r.catcher = c
	r.pid, err = spawn(spec)
	if err != nil {
		c.Close()
		return nil, err
	}
	now := time.Now()
	r.identify()
	if spec.Started != nil {
		spec.Started(r.pid)
	}
	if spec.MaxTime > 0 {
		r.limitAt = now.Add(spec.MaxTime)
	}
	for _, d := range spec.Duties {
		r.duties = append(r.duties, duty{d.Do, now.Add(d.After), -1})
	}
	return r, nil
}

// identify makes sure that no signal can hit another process than the command.
func (r *run) identify() {
	if id, err := proc.Of(r.pid); err == nil {
		r.command, _ = id.Open()
	}
}

// adopt is start for a command that runs already. The signals that this room takes
// are blocked on all threads; the caller's thread takes them from now on.
func (r *run) adopt() error {
	old := r.spec.Running
	r.pid = old.PID
	// What was ignored is ignored again; the Go runtime has put its handlers there.
	if err := signals.Ignore(old.Ignored); err != nil {
		return err
	}
	c, err := signals.Catch(caught()...)
	if err != nil {
		return err
	}
	r.catcher = c
	r.stopped = old.Stopped
	r.identify()
	if err := signals.SetMask(old.Mask &^ (1 << (unix.SIGCHLD - 1))); err != nil {
		return err
	}
	r.childEnded() // the Go runtime may have taken the signal of its end
	now := time.Now()
	for _, d := range r.spec.Duties {
		r.duties = append(r.duties, duty{d.Do, now, -1})
	}
	return nil
}

// spawn starts the program with this process's descriptors. Like execvp(3) it has
// the shell run a file that has no #! line.
func spawn(spec Spec) (int, error) {
	attr := &syscall.ProcAttr{Env: spec.Env, Files: []uintptr{0, 1, 2}}
	pid, err := syscall.ForkExec(spec.Path, spec.Argv, attr)
	if err == syscall.ENOEXEC {
		argv := append([]string{"sh", spec.Path}, spec.Argv[1:]...)
		pid, err = syscall.ForkExec("/bin/sh", argv, attr)
	}
	return pid, err
}

// Run runs the command to its end.
func Run(spec Spec) (Result, error) {
	r, err := start(spec)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	for !r.done() {
		if err := r.sleep(); err != nil {
			return r.result, err
		}
		r.takeSignals()
		r.keepTime(time.Now())
	}
	return r.result, nil
}

func (r *run) close() {
	r.catcher.Close()
	if r.command != nil {
		r.command.Close()
	}
}

// wholeTree reports whether the descendants matter.
func (r *run) wholeTree() bool { return r.spec.UntilTree || r.spec.KillTree }

// done reports whether the run has ended.
func (r *run) done() bool {
	return r.ended && (!r.wholeTree() || r.empty)
}

// sleep waits for the next thing to do.
func (r *run) sleep() error {
	var room [4]unix.PollFd
	fds := append(room[:0], unix.PollFd{Fd: int32(r.catcher.FD()), Events: unix.POLLIN})
	for _, d := range r.duties {
		fds = append(fds, unix.PollFd{Fd: int32(d.fd), Events: unix.POLLIN})
	}
	_, err := unix.Ppoll(fds, r.timeout(), nil)
	if err != nil && err != unix.EINTR {
		return os.NewSyscallError("ppoll", err)
	}
	for i := range r.duties {
		if err == nil && fds[1+i].Revents != 0 {
			r.duties[i].perform(time.Now())
		}
	}
	return nil
}

// timeout is how long until the next thing that is due, nil for ever.
func (r *run) timeout() *unix.Timespec {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(r.limitAt)
	sooner(r.killAt)
	for _, d := range r.duties {
		sooner(d.at)
	}
	if next.IsZero() {
		return nil
	}
	ts := unix.NsecToTimespec(max(0, time.Until(next).Nanoseconds()))
	return &ts
}

// keepTime does what is due.
func (r *run) keepTime(now time.Time) {
	if due(&r.limitAt, now) && !r.done() {
		r.result.TimedOut = true
		r.end(now)
	}
	if due(&r.killAt, now) && !r.done() {
		r.kill()
	}
	for i := range r.duties {
		if due(&r.duties[i].at, now) {
			r.duties[i].perform(now)
		}
	}
}

// due reports whether at has come, and unsets it.
func due(at *time.Time, now time.Time) bool {
	if at.IsZero() || now.Before(*at) {
		return false
	}
	*at = time.Time{}
	return true
}

func (d *duty) perform(now time.Time) {
	fd, again := d.do()
	d.fd, d.at = fd, time.Time{}
	if again > 0 {
		d.at = now.Add(again)
	}
}

// reap waits for whatever has ended.
func (r *run) reap() {
	before := r.ended
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			r.empty = true
			return
		case err != nil || pid == 0:
			if r.ended && !before && r.spec.Ended != nil {
				r.spec.Ended()
			}
			if r.ended && r.wholeTree() {
				r.empty = r.empty || r.onlyAside()
			}
			return
		case pid == r.pid:
			r.ended = true
			r.result.Status = syscall.WaitStatus(ws)
			if r.command != nil {
				r.command.Close()
				r.command = nil
			}
			if !r.wholeTree() {
				return
			}
		}
	}
}
