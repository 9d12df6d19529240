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
	look, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	switch err := flock.AwaitMark(look, fd, p.off, flock.Shared); {
	case err == nil:
		return flock.Unmark(fd, p.off)
	case ctx.Err() == nil && look.Err() != nil:
		return nil
	default:
		return err
	}
}
