package sole

import (
	"context"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/queue"
	"github.com/sole-run/sole/internal/record"
)

// Holders that share a name each have a seat: an exclusive mark on a byte of the lock
// file, and a record in a file beside it. Even seats are slots, odd ones are for those that
// share without limit, so that neither takes the other's.

// noSeat is that of a holder who is alone.
const noSeat = -1

// errFull is returned when more share a name than there are seats.
var errFull error = unix.EUSERS

func slotSeat(slot int) int { return 2 * (slot - 1) }

// slotOf is the slot of the seat, 0 if it is none.
func slotOf(seat int) int {
	if seat < 0 || seat%2 != 0 {
		return 0
	}
	return seat/2 + 1
}

// sit takes the lowest free seat for a holder that is not to be alone. f is locked shared.
func (a *attempt) sit(f *lockdir.File) (seat int, got bool, err error) {
	first, end := noSeat, 0
	switch a.class {
	case queue.Shared:
		first, end = 1, record.Seats
	case queue.Slot:
		first, end = slotSeat(1), slotSeat(a.o.slots)+1
	default:
		return noSeat, true, nil
	}
	for seat := first; seat < end; seat += 2 {
		got, err := flock.Mark(a.locked(f), record.SeatMarks+int64(seat), flock.Exclusive)
		if got || err != nil {
			return seat, got, err
		}
	}
	if a.class == queue.Shared {
		return noSeat, false, errFull
	}
	return noSeat, false, nil
}

// awaitSlot waits for a slot, in the order of arrival. The waiters stand in line for the
// lock of the seats' file, the gate; the first of them waits for all its slots at once.
func (a *attempt) awaitSlot(f *lockdir.File) (seat int, err error) {
	gate, err := openSeats(a.dir, a.name)
	if err != nil {
		return noSeat, err
	}
	defer unix.Close(gate.FD)
	for pause := passFirst; ; pause = min(2*pause, passLast) {
		if err := a.awaitGate(f, gate.FD); err != nil {
			return noSeat, err
		}
		seat, got, err := a.awaitRoom(f)
		if err != nil || got {
			return seat, err
		}
		// Whoever goes before it may wait for one who came earlier still, and needs the gate.
		err = queue.LeaveGate(f.FD)
		if err == nil {
			err = flock.Unlock(gate.FD)
		}
		waited := false
		if err == nil {
			waited, err = queue.Await(a.ctx, f.FD, queue.Slot, a.arrived)
		}
		if err == nil && !waited {
			err = pass(a.ctx, pause)
		}
		if err != nil {
			return noSeat, err
		}
	}
}

// awaitGate returns when all who came earlier for a slot have one. The gate is then locked,
// and marked as this process's.
func (a *attempt) awaitGate(f *lockdir.File, gate int) error {
	for pause := passFirst; ; pause = min(2*pause, passLast) {
		if err := flock.Lock(a.ctx, gate, flock.Exclusive); err != nil {
			return err
		}
		ahead, err := queue.SlotAhead(f.FD, a.arrived)
		if err != nil {
			return err
		}
		if !ahead {
			return queue.AtGate(f.FD)
		}
		if err := flock.Unlock(gate); err != nil {
			return err
		}
		waited, err := queue.AwaitSlot(a.ctx, f.FD, a.arrived)
		if err == nil && !waited {
			err = pass(a.ctx, pause)
		}
		if err != nil {
			return err
		}
	}
}

// awaitRoom waits for a slot at the gate, for holders only: got is false if it turns out
// that somebody who waits goes before it.
func (a *attempt) awaitRoom(f *lockdir.File) (seat int, got bool, err error) {
	for {
		// An exclusive holder leaves every slot free.
		if err := flock.Lock(a.ctx, f.FD, flock.Shared); err != nil {
			return noSeat, false, err
		}
		ahead, err := a.overtakes(f, a.arrived)
		if err == nil && !ahead {
			seat, got, err = a.sit(f)
		}
		if err != nil || got {
			return seat, got, err
		}
		if err := flock.Unlock(f.FD); err != nil || ahead {
			return noSeat, false, err
		}
		if seat, err = a.awaitSeat(f); err != nil {
			return noSeat, false, err
		}
		locked, err := flock.TryLock(f.FD, flock.Shared)
		if err == nil && locked {
			if ahead, err = a.overtakes(f, a.arrived); err == nil && !ahead {
				return seat, true, nil
			}
			_ = flock.Unlock(f.FD)
		}
		_ = flock.Unmark(f.FD, record.SeatMarks+int64(seat))
		if err != nil || ahead {
			return noSeat, false, err
		}
	}
}

// awaitSeat takes whichever of the slots becomes free first. There is no system call that
// waits for one of several locks, so it needs a thread for each.
func (a *attempt) awaitSeat(f *lockdir.File) (seat int, err error) {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	n := a.o.slots
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			errs[i] = flock.AwaitMark(ctx, f.FD, record.SeatMarks+int64(slotSeat(i+1)), flock.Exclusive)
			cancel() // one is enough, and an error is the others' too
		})
	}
	all.Wait()
	seat = noSeat
	for i, err := range errs {
		switch {
		case err == nil && seat == noSeat:
			seat = slotSeat(i + 1)
		case err == nil:
			_ = flock.Unmark(f.FD, record.SeatMarks+int64(slotSeat(i+1)))
		}
	}
	if seat != noSeat {
		return seat, nil
	}
	for _, err := range errs {
		if !errors.Is(err, context.Canceled) {
			return noSeat, err
		}
	}
	return noSeat, a.ctx.Err()
}

// openSeats opens the file of the seats, and makes it if it is missing. It is judged as
// every lock file is.
func openSeats(dir *lockdir.Dir, name string) (lockdir.File, error) {
	for range 100 {
		f, err := dir.OpenSeats(name)
		if err != nil {
			return f, fault(err)
		}
		if err := f.Judge(); err != nil {
			_ = unix.Close(f.FD)
			return f, fault(err)
		}
		if f.StillThere() {
			return f, nil
		}
		_ = unix.Close(f.FD)
	}
	return lockdir.File{}, &os.PathError{Op: "open", Path: dir.Seats(name), Err: unix.ESTALE}
}
