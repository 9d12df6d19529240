package sole

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

// Signal sends sig to what holds the name: to the command of a supervisor, else
// to the program that holds it. It cannot hit a process that merely has got the same pid. Where
// several share the name it goes to all of them, or to one ([AtSlot]).
//
// The error is [ErrFree] if nobody holds the name, [ErrElsewhere] if the holder cannot be
// reached from here, and wraps fs.ErrPermission if it may not be signalled.
func Signal(name string, sig syscall.Signal, opts ...Option) error {
	_, holders, err := target(name, opts)
	var faults []error
	for _, h := range holders {
		if err := reachable(h); err != nil {
			faults = append(faults, err)
			continue
		}
		faults = append(faults, signalRun(h, sig))
	}
	return errors.Join(err, errors.Join(faults...))
}

// Stop ends the run that holds the name: SIGTERM to its command (and SIGCONT, in
// case it is stopped), SIGKILL after grace, then the same to whatever else keeps the name. It
// returns when the run has ended, and nil at once if the name is free. killed says whether
// SIGKILL was needed. Where several share the name all are ended at the same time, or one ([AtSlot]).
// The errors are those of [Signal], and ctx's.
func Stop(ctx context.Context, name string, grace time.Duration, opts ...Option) (killed bool, err error) {
	dir, holders, err := target(name, opts)
	if errors.Is(err, ErrFree) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	stops := make([]stop, len(holders))
	faults := make([]error, len(holders))
	var all sync.WaitGroup
	for i, h := range holders {
		stops[i] = stop{dir: dir, grace: grace}
		all.Go(func() { faults[i] = stops[i].run(ctx, h) })
	}
	all.Wait()
	for _, s := range stops {
		killed = killed || s.killed
	}
	return killed, errors.Join(faults...)
}

// afterKill is how long a process may take to end that was sent SIGKILL, however short the
// grace is, and how long nobody may be seen who holds the name.
const afterKill = 5 * time.Second

// stop ends one run.
type stop struct {
	dir    *lockdir.Dir
	grace  time.Duration
	killed bool // SIGKILL was needed
	spare  int  // a process that is not to be signalled, 0 for none
}

func (s *stop) run(ctx context.Context, st Status) error {
	for {
		if err := reachable(st); err != nil {
			return err
		}
		if len(targets(st)) == 0 {
			next, runs, err := s.untilSeen(ctx, st)
			if err != nil || !runs {
				return err
			}
			st = next
			continue
		}
		if s.spare != 0 && slices.ContainsFunc(targets(st), func(id proc.ID) bool { return id.PID == s.spare }) {
			return nil
		}
		survived := false
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL} {
			err := signalRun(st, sig)
			if err != nil && !errors.Is(err, proc.ErrGone) {
				return err
			}
			s.killed = s.killed || sig == unix.SIGKILL && err == nil
			// A stopped process takes SIGTERM only when it goes on.
			_ = signalRun(st, unix.SIGCONT)
			wakeSupervisor(st)
			patience := s.grace
			if sig == unix.SIGKILL {
				patience = max(patience, afterKill)
			}
			if err := awaitTargets(ctx, s.dir, st, patience); err == nil {
				break
			} else if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				return err
			}
			survived = sig == unix.SIGKILL
		}
		now, err := inspectUntil(ctx, s.dir, st.Name, nil)
		if err != nil {
			return err
		}
		next, runs := now.same(st)
		if !runs {
			return nil
		}
		// Else what was signalled has ended, and something else keeps the name.
		if survived && slices.Equal(targets(next), targets(st)) {
			return &os.SyscallError{Syscall: "stop", Err: unix.ETIMEDOUT}
		}
		// A replacement that has got the lock meanwhile must not end itself.
		if err := ctx.Err(); err != nil {
			return err
		}
		st = next
	}
}

// untilSeen waits for a run to end, or for a process of it to be seen: none is while those that
// were killed are on their way out, or while the lock passes on. The error is ErrElsewhere if that
// takes long.
func (s *stop) untilSeen(ctx context.Context, st Status) (now Status, runs bool, err error) {
	limited, cancel := context.WithTimeout(ctx, afterKill)
	defer cancel()
	err = awaitEnd(limited, s.dir, st, func(seen Status) bool {
		now, runs = seen, len(targets(seen)) > 0
		return runs
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = ErrElsewhere
	}
	return now, runs, err
}

// reachable says why no process of the run can be signalled from here.
func reachable(st Status) error {
	if st.Elsewhere {
		return ErrElsewhere
	}
	return nil
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

// target finds the runs that are to be signalled. It trusts only what the caller or
// root could have written, for otherwise a record could name any process.
func target(name string, opts []Option) (*lockdir.Dir, []Status, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	o := collect(opts)
	dir, err := openDir(o, lockdir.Look)
	if err != nil {
		return nil, nil, err
	}
	if dir.Missing() {
		return nil, nil, ErrFree
	}
	if dir, err = openDir(o, lockdir.Use); err != nil {
		return nil, nil, err
	}
	st, err := inspect(dir, name, nil)
	if err != nil {
		return nil, nil, err
	}
	holders := st.Holders()
	if o.slot != 0 {
		holders = slices.DeleteFunc(holders, func(h Status) bool { return h.Slot != o.slot })
	}
	if o.only != nil {
		h, runs := st.same(*o.only)
		holders = slices.DeleteFunc([]Status{h}, func(Status) bool { return !runs })
	}
	if len(holders) == 0 {
		return nil, nil, ErrFree
	}
	return dir, holders, nil
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
	switch {
	case len(ids) > 0:
	case len(st.Leftover) > 0:
		return proc.ErrGone
	default:
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
