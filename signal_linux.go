package sole

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

// Signal sends sig to what holds the name: to the command of a supervisor, else
// to the program that holds it. It cannot hit a process that merely has got the same pid.
//
// The error is [ErrFree] if nobody holds the name, [ErrElsewhere] if the holder cannot be
// reached from here, and wraps fs.ErrPermission if it may not be signalled.
func Signal(name string, sig syscall.Signal, opts ...Option) error {
	_, st, err := target(name, opts)
	if err != nil {
		return err
	}
	return signalRun(st, sig)
}

// Stop ends the run that holds the name: SIGTERM to its command (and SIGCONT, in
// case it is stopped), SIGKILL after grace, then the same to whatever else keeps the name. It
// returns when the run has ended, and nil at once if the name is free. killed says whether
// SIGKILL was needed. The errors are those of [Signal], and ctx's.
func Stop(ctx context.Context, name string, grace time.Duration, opts ...Option) (killed bool, err error) {
	dir, st, err := target(name, opts)
	if errors.Is(err, ErrFree) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for {
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL} {
			err := signalRun(st, sig)
			if err != nil && !errors.Is(err, proc.ErrGone) {
				return killed, err
			}
			killed = killed || sig == unix.SIGKILL && err == nil
			// A stopped process takes SIGTERM only when it goes on.
			_ = signalRun(st, unix.SIGCONT)
			wakeSupervisor(st)
			if err := awaitTargets(ctx, dir, st, grace); err == nil {
				break
			} else if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				return killed, err
			}
		}
		next, err := inspect(dir, name, nil)
		if err != nil || next.State == Free || next.Run != st.Run {
			return killed, err
		}
		// What was signalled has ended, and something else keeps the name.
		if slices.Equal(targets(next), targets(st)) {
			return killed, &os.SyscallError{Syscall: "stop", Err: unix.ETIMEDOUT}
		}
		st = next
	}
}

// awaitTargets waits, at most d, until the run has ended or other processes than
// those of st keep its name.
func awaitTargets(ctx context.Context, dir *lockdir.Dir, st Status, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	before := targets(st)
	return awaitEnd(ctx, dir, st, func(now Status) bool {
		// Between the command's end and the supervisor's there is nobody to signal.
		after := targets(now)
		return !slices.Equal(after, before) && !slices.Equal(after, []proc.ID{now.holder})
	})
}

// target finds the run that is to be signalled. It trusts only what the caller or
// root could have written, for otherwise a record could name any process.
func target(name string, opts []Option) (*lockdir.Dir, Status, error) {
	if err := checkName(name); err != nil {
		return nil, Status{}, err
	}
	o := collect(opts)
	dir, err := openDir(o, lockdir.Look)
	if err != nil {
		return nil, Status{}, err
	}
	if dir.Missing() {
		return nil, Status{}, ErrFree
	}
	if dir, err = openDir(o, lockdir.Use); err != nil {
		return nil, Status{}, err
	}
	st, err := inspect(dir, name, nil)
	switch {
	case err != nil:
		return nil, st, err
	case st.State == Free:
		return nil, st, ErrFree
	case st.Elsewhere:
		return nil, st, ErrElsewhere
	}
	return dir, st, nil
}

// targets are the processes that a signal to the run is meant for.
func targets(st Status) []proc.ID {
	switch {
	case st.ChildPID != 0:
		return []proc.ID{st.child}
	case len(st.Leftover) > 0:
		var ids []proc.ID
		for _, pid := range st.Leftover {
			if id, err := proc.Of(pid); err == nil {
				ids = append(ids, id)
			}
		}
		return ids
	case st.PID != 0:
		return []proc.ID{st.holder}
	}
	return nil
}

func signalRun(st Status, sig syscall.Signal) error {
	ids := targets(st)
	if len(ids) == 0 {
		return ErrElsewhere
	}
	var faults []error
	for _, id := range ids {
		h, err := id.Open()
		if err == nil {
			err = h.Signal(sig)
			h.Close()
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) < len(ids) {
		return nil
	}
	return faults[0]
}

// wakeSupervisor lets a stopped supervisor see that its command ends.
func wakeSupervisor(st Status) {
	if st.ChildPID == 0 || st.PID == 0 {
		return
	}
	if h, err := st.holder.Open(); err == nil {
		_ = h.Signal(unix.SIGCONT)
		h.Close()
	}
}
