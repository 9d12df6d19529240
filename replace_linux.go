package sole

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/queue"
)

// replace takes the lock from whoever has it: it goes to the front of the queue, and
// meanwhile ends all holders until the lock is had.
func (a *attempt) replace(f *lockdir.File) error {
	if err := a.checkAncestors(f); err != nil {
		return err
	}
	if a.arrived == 0 {
		a.arrived = queue.Arrive()
	}
	t, err := queue.Take(f.FD, queue.Front, a.arrived)
	switch {
	case err == nil:
		a.arrived = t.Arrived()
		defer t.Return()
	case !errors.Is(err, flock.ErrMarks):
		return err
	}
	outer := a.ctx
	defer func() { a.ctx = outer }()
	ctx, cancel := context.WithCancelCause(outer)
	a.ctx = ctx
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(a.evict(ctx, outer, f))
	}()
	_, err = a.awaitLock(f)
	cancel(nil)
	<-ended // it must not see this run as one to end, and may have a family to end
	switch {
	case err == nil:
		return nil
	case outer.Err() != nil:
		return a.skip(f, a.busy(f, outer.Err()))
	case ctx.Err() == nil || errors.Is(context.Cause(ctx), context.Canceled):
		return err
	}
	var young *BusyError
	if errors.As(context.Cause(ctx), &young) {
		return a.skip(f, young)
	}
	return context.Cause(ctx)
}

// evict ends whoever holds the name until ctx ends, which is when the lock is had. Its
// error says why a holder cannot or must not be ended.
func (a *attempt) evict(ctx, outer context.Context, f *lockdir.File) error {
	w, err := newWaker(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for ctx.Err() == nil {
		// The watch comes before the look, so that nothing falls in between.
		w.watch(f.Path)
		st, err := inspectUntil(ctx, a.dir, a.name, nil)
		if err != nil {
			return err
		}
		if ctx.Err() != nil { // what was seen may be this run, which has the lock and no record yet
			return nil
		}
		if err := a.evictAll(ctx, outer, f, st.Holders()); err != nil && ctx.Err() == nil {
			return err
		}
		if st.State == Held {
			continue
		}
		if err := w.sleep(st); err != nil {
			return err
		}
	}
	return nil
}

// evictAll ends the holders, all at the same time, or none if one of them is to be spared.
func (a *attempt) evictAll(ctx, outer context.Context, f *lockdir.File, holders []Status) error {
	for _, h := range holders {
		if ran := time.Duration(h.Seconds * float64(time.Second)); ran < a.o.replace.OlderThan {
			return &BusyError{Name: a.name, Holder: h, Young: true}
		}
	}
	faults := make([]error, len(holders))
	var all sync.WaitGroup
	for i, h := range holders {
		all.Go(func() { faults[i] = a.evictOne(ctx, outer, f, h) })
	}
	all.Wait()
	for i, err := range faults {
		if err == nil || ctx.Err() != nil { // the lock is had: the wait for the end was cut short
			a.replaced = max(a.replaced, holders[i].Run)
		}
	}
	return errors.Join(faults...)
}

// evictOne ends one run; with Tree its family too, before the name is used.
func (a *attempt) evictOne(ctx, outer context.Context, f *lockdir.File, st Status) error {
	r := a.o.replace
	// This process may have the lock by now, and no record yet.
	s := stop{dir: a.dir, grace: r.Grace, spare: os.Getpid()}
	if err := reachable(st); err != nil || !r.Tree {
		if err == nil {
			err = s.run(ctx, st)
		}
		return err
	}
	fam := ofRun(ctx, a.dir, f, st, time.Now().Add(r.Grace))
	if fam == nil {
		return nil
	}
	defer fam.close()
	fam.terminate(st)
	if err := s.run(ctx, st); err != nil && ctx.Err() == nil {
		return err
	}
	return fam.end(outer)
}
