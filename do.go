package sole

import (
	"context"
	"errors"
)

// Do waits for the name, runs fn while it holds it, and releases it, also when fn
// panics. The context that fn gets ends when ctx does, and when the name was lost because
// somebody deleted its lock file and another holder got in; [context.Cause] then is a
// [*DisturbedError], which Do returns joined with fn's error.
//
// To leave at once when the name is busy, use [TryAcquire].
func Do(ctx context.Context, name string, fn func(context.Context) error, opts ...Option) (err error) {
	lock, err := Acquire(ctx, name, opts...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := lock.guard(cancel)
	defer stop()
	err = fn(inner)
	var lost *DisturbedError
	if errors.As(context.Cause(inner), &lost) {
		err = errors.Join(err, lost)
	}
	return err
}
