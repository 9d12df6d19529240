package queue

import (
	"context"
	"time"

	"github.com/sole-run/sole/internal/flock"
)

// lookAgain is how long [Await] waits for a waiter that may be stopped meanwhile: nothing
// tells of that.
const lookAgain = time.Second

// Await returns when the waiter at the place p waits no more: it got what it waited
// for, gave up or ended. It also returns after a second, for the waiter may have been stopped,
// and is then not to be waited for. When ctx ends first the error is ctx's.
func Await(ctx context.Context, fd int, p Place) error {
	// The mark that says whose the ticket is: one on the ticket itself would look like one more.
	from := whoAt(arrivalAt(p.off))
	who, found, err := flock.AnyMark(fd, from, from+1<<pidBits, flock.Exclusive)
	if err != nil || !found {
		return err
	}
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	switch err := flock.AwaitMark(look, fd, who, flock.Shared); {
	case err == nil:
		return flock.Unmark(fd, who)
	case ctx.Err() == nil && look.Err() != nil:
		return nil
	default:
		return err
	}
}
