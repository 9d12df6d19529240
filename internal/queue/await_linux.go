package queue

import (
	"context"

	"github.com/sole-run/sole/internal/flock"
)

// Await returns when the waiter at the place p waits no more: it got what it waited
// for, gave up or ended. It does not poll. When ctx ends first the error is ctx's.
func Await(ctx context.Context, fd int, p Place) error {
	if err := flock.AwaitMark(ctx, fd, p.off, flock.Shared); err != nil {
		return err
	}
	return flock.Unmark(fd, p.off)
}
