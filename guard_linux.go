package sole

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// checkEvery is how often a lock file is checked where there is no inotify.
const checkEvery = 4 * time.Second

// guard checks the lock file whenever something happens to it, and calls lost when
// another holder got in. The returned function ends it and waits for its end.
func (l *Lock) guard(lost context.CancelCauseFunc) (stop func()) {
	changes, err := l.Changes()
	if err != nil {
		return l.guardByTime(lost)
	}
	var mu sync.Mutex // guards changes
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			if _, err := changes.Read(buf); err != nil {
				return
			}
			// What is put back needs a watch of its own, and what happens before
			// that watch is not announced by it.
			for fine := false; !fine; {
				l.checkFor(lost)
				next, err := l.Changes()
				if err != nil {
					return
				}
				mu.Lock()
				if errors.Is(changes.Close(), os.ErrClosed) { // stop was called
					_ = next.Close()
					mu.Unlock()
					return
				}
				changes = next
				mu.Unlock()
				fine = l.checkFor(lost)
			}
		}
	}()
	return func() {
		mu.Lock()
		_ = changes.Close()
		mu.Unlock()
		<-ended
	}
}

func (l *Lock) guardByTime(lost context.CancelCauseFunc) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(checkEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				l.checkFor(lost)
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// checkFor reports whether there is nothing to do.
func (l *Lock) checkFor(lost context.CancelCauseFunc) bool {
	var e *DisturbedError
	if !errors.As(l.Check(), &e) {
		return true
	}
	if e.Holder != nil {
		lost(e)
	}
	return !e.Restored // it cannot be put back: trying again at once would not help
}
