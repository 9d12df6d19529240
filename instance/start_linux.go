package instance

import (
	"context"
	"errors"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/control"
)

// Start becomes the first of the name, or sends this start's message to the one that is.
//
// If this start is the first, it returns a First, and handler gets the messages of the later ones
// until [First.Close]. ctx then is the one that the contexts of messages are made from: its
// end is the first's ([First.Done]).
//
// If another one is the first, it returns an [*AnsweredError] when that has answered. Other errors:
// [*NoAnswerError], [*FailedError], [*LostError], those of [sole.TryAcquire] but for
// *sole.BusyError, and ctx's.
func Start(ctx context.Context, name string, handler Handler, opts ...Option) (*First, error) {
	if handler == nil {
		panic("instance: nil handler")
	}
	s, err := newSender(name, collect(opts))
	if err != nil {
		return nil, err
	}
	patient, cancel := context.WithTimeout(ctx, s.o.patience)
	defer cancel()
	for {
		c, lock, err := s.find(patient)
		switch {
		case err != nil:
			return nil, s.notFound(ctx, err)
		case c != nil:
			err := s.exchange(ctx, c)
			if !s.tryAgain(patient, err) {
				return nil, s.answered(c, err)
			}
		default:
			first, err := serve(ctx, s.o, lock, handler)
			var busy *control.BusyError
			if !errors.As(err, &busy) {
				return first, translate(name, err)
			}
			// Somebody deleted the lock file of a first that goes on.
			if patient.Err() != nil || busy.Err != nil {
				return nil, s.notFound(ctx, err)
			}
		}
	}
}

// find returns a connection to the first, or the lock that makes this start the first.
func (s *sender) find(ctx context.Context) (*control.Client, *sole.Lock, error) {
	// The socket first: who finds the lock held is counted as a skip.
	c, err := control.Connect(ctx, s.addr)
	if err != control.ErrNobody {
		return c, nil, err
	}
	lock, err := sole.TryAcquire(s.name, s.o.place())
	var busy *sole.BusyError
	if !errors.As(err, &busy) {
		return nil, lock, err
	}
	return s.await(ctx)
}

// How often somebody who has the lock and does not listen yet is looked for.
const (
	lookFirst = time.Millisecond
	lookLast  = 50 * time.Millisecond
)

// await is find while somebody has the lock and does not listen: he is about to do the one or to
// give up the other.
func (s *sender) await(ctx context.Context) (*control.Client, *sole.Lock, error) {
	type result struct {
		lock *sole.Lock
		err  error
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	got := make(chan result, 1)
	go func() {
		lock, err := sole.Acquire(waiting, s.name, s.o.place())
		got <- result{lock, err}
	}()
	for pause := lookFirst; ; pause = min(2*pause, lookLast) {
		select {
		case r := <-got:
			return nil, r.lock, r.err
		case <-time.After(pause):
		}
		c, err := control.Connect(ctx, s.addr)
		if err == control.ErrNobody {
			continue
		}
		cancel()
		if r := <-got; r.lock != nil { // he has given it up meanwhile
			if c != nil {
				_ = c.Close()
			}
			return nil, r.lock, nil
		}
		return c, nil, err
	}
}
