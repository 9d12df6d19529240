package sole

import (
	"context"
	"errors"
	"time"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/queue"
	"github.com/sole-run/sole/internal/record"
)

// How long a waiter that got the lock before its turn lets go of it, where it cannot be told
// whom to wait for.
const (
	passFirst = 50 * time.Microsecond
	passLast  = 10 * time.Millisecond
)

// await waits for the lock, and for a seat if the name is to be shared.
func (a *attempt) await(f *lockdir.File) (seat int, err error) {
	if err := a.checkAncestors(f); err != nil {
		return noSeat, err
	}
	if a.o.pending {
		only, err := flock.Mark(f.FD, record.PendingMark, flock.Exclusive)
		if err != nil {
			return noSeat, err
		}
		if !only || queue.Any(f.FD) {
			busy := a.busy(f, nil)
			busy.Queued = true
			return noSeat, a.skip(f, busy)
		}
		// Before the command starts: a start that comes from then on is to be followed by
		// a run of its own.
		defer func() { _ = flock.Unmark(f.FD, record.PendingMark) }()
	}
	if a.arrived == 0 {
		a.arrived = queue.Arrive()
	}
	t, err := queue.Take(f.FD, a.class, a.arrived)
	switch {
	case err == nil:
		a.arrived = t.Arrived() // kept when the file is deleted: the place is too
		defer t.Return()
	case !errors.Is(err, flock.ErrMarks):
		return noSeat, err
	}
	if a.class == queue.Slot {
		seat, err = a.awaitSlot(f)
	} else {
		seat, err = a.awaitLock(f)
	}
	if err != nil && a.ctx.Err() != nil {
		err = a.skip(f, a.busy(f, a.ctx.Err()))
	}
	return seat, err
}

// awaitLock waits for the lock and for everybody who came earlier to have had it.
func (a *attempt) awaitLock(f *lockdir.File) (seat int, err error) {
	for pause := passFirst; ; pause = min(2*pause, passLast) {
		if err := flock.Lock(a.ctx, a.locked(f), a.kind()); err != nil {
			return noSeat, err
		}
		ahead, err := queue.Ahead(f.FD, a.class, a.arrived)
		if err != nil || !ahead {
			seat, _, err := a.sit(f)
			return seat, err
		}
		if err := flock.Unlock(a.locked(f)); err != nil {
			return noSeat, err
		}
		// Back in the kernel's queue at once it would be behind all others, and so would each
		// of them that finds it is not its turn: round and round for one that is.
		waited, err := queue.Await(a.ctx, f.FD, a.class, a.arrived)
		if err == nil && !waited {
			err = pass(a.ctx, pause)
		}
		if err != nil {
			return noSeat, err
		}
	}
}

// pass leaves the lock alone for a moment.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
