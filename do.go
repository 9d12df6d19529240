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
// With [History] the error may be a *[HistoryError] alone: then only the history could not be written. The run succeeded if fn returned nil, was lost if the name was, and else failed.
//
// To leave at once when the name is busy, use [TryAcquire].
func Do(ctx context.Context, name string, fn func(context.Context) error, opts ...Option) (err error) {
	lock, err := Acquire(ctx, name, opts...)
	if err != nil {
		return err
	}
	end := End{Outcome: Failed, ExitCode: -1} // unless fn returns
	defer func() { err = errors.Join(err, lock.ReleaseAs(end)) }()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := lock.guard(cancel)
	defer stop()
	err = fn(inner)
	var lost *DisturbedError
	switch {
	case errors.As(context.Cause(inner), &lost):
		err, end.Outcome = errors.Join(err, lost), Lost
	case err == nil:
		end.Outcome = OK
	}
	return err
}
