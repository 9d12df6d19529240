package queue

import (
	"context"
	"time"

	"github.com/sole-run/sole/internal/flock"
)

// How long one waits for another before it looks whether that one was stopped: nothing
// tells of that. A thousand that look once a second would keep a core busy, so each pause is half
// the time that has passed.
const (
	lookFirst = time.Second
	lookLast  = time.Minute
)

// Await returns when the waiter that [Ahead] sees next before one of the class waits no
// more: it got what it waited for, gave up or ended. It also returns, some time later, when
// another is the next one before, because it was stopped. waited is false if there is none, or
// none can be waited for. When ctx ends first the error is ctx's.
func Await(ctx context.Context, fd int, class Class, arrived time.Duration) (waited bool, err error) {
	return await(ctx, fd, func() (int64, bool, error) { return nextBefore(fd, class, arrived) })
}

// AwaitSlot is [Await] for a [Slot] among its own class only.
func AwaitSlot(ctx context.Context, fd int, arrived time.Duration) (waited bool, err error) {
	return await(ctx, fd, func() (int64, bool, error) { return nearest(fd, flock.Exclusive, slotsBefore(arrived)) })
}

// nextBefore returns the place of the one after whom it is the turn of one of the class.
// Those who were woken wait for the one before each, so that few wake at a time.
func nextBefore(fd int, class Class, arrived time.Duration) (place int64, found bool, err error) {
	all := stretches(fd, class, arrived)
	var since time.Duration
	for _, s := range all[1:] {
		at, there, err := nearest(fd, class.sees(), s)
		if err != nil {
			return 0, false, err
		}
		if there && arrivalAt(at) >= since {
			place, found, since = at, true, arrivalAt(at)
		}
	}
	if found {
		return place, true, nil
	}
	return nearest(fd, class.sees(), all[0])
}

// await waits for the one whose place next returns.
func await(ctx context.Context, fd int, next func() (int64, bool, error)) (waited bool, err error) {
	place, found, err := next()
	if err != nil || !found {
		return false, err
	}
	// The mark that says whose the ticket is: one on the ticket itself would look like one more.
	from := whoAt(arrivalAt(place))
	who, found, err := flock.AnyMark(fd, from, from+1<<pidBits, flock.Exclusive)
	if err != nil || !found {
		return false, err
	}
	until, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		untilAnother(until, place, next)
		cancel()
	}()
	err = flock.AwaitMark(until, fd, who, flock.Shared)
	cancel()
	<-ended
	switch {
	case err == nil:
		return true, flock.Unmark(fd, who)
	case ctx.Err() == nil && until.Err() != nil:
		return true, nil
	default:
		return false, err
	}
}

// untilAnother returns when next no longer returns the place, or ctx ends.
func untilAnother(ctx context.Context, place int64, next func() (int64, bool, error)) {
	for began := time.Now(); ; {
		timer := time.NewTimer(min(max(time.Since(began)/2, lookFirst), lookLast))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if now, found, err := next(); err != nil || !found || now != place {
			return
		}
	}
}
