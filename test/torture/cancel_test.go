//go:build linux

package torture

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/queue"
)

// A wait of every policy ends with its context, at once, wherever it waits, and leaves nothing.
func TestCancelOfEveryPolicy(t *testing.T) {
	for _, c := range []struct {
		name   string
		holds  func(t *testing.T, dir string) // how the name is held
		others []sole.Option                  // of one that waits already
		wants  []sole.Option
	}{
		{"exclusive", holdAlone, nil, nil},
		{"queue", holdAlone, nil, []sole.Option{sole.Queue()}},
		{"shared", holdAlone, nil, []sole.Option{sole.Shared()}},
		{"slots behind an exclusive holder", holdAlone, nil, []sole.Option{sole.Slots(3)}},
		{"one of many slots", holdSlots, nil, []sole.Option{sole.Slots(3)}},
		{"slots at the gate", holdSlots, []sole.Option{sole.Slots(3)}, []sole.Option{sole.Slots(3)}},
		{"slots behind an exclusive waiter", holdSlots, []sole.Option{}, []sole.Option{sole.Slots(4)}},
		{"shared behind an exclusive waiter", holdSlots, []sole.Option{}, []sole.Option{sole.Shared()}},
		{"replace", holdStubbornly, nil, []sole.Option{sole.Replace(sole.Replacement{Grace: time.Hour})}},
		{"replace a tree", holdStubbornly, nil, []sole.Option{sole.Replace(sole.Replacement{Grace: time.Hour, Tree: true})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.holds(t, dir)
			look := queueOf(t, dir, "n")
			waiting := 0
			if c.others != nil {
				ctx, cancel := context.WithCancel(context.Background())
				over := make(chan struct{})
				go func() {
					defer close(over)
					if l, err := sole.Acquire(ctx, "n", append(c.others, sole.Dir(dir))...); err == nil {
						l.Release()
					}
				}()
				t.Cleanup(func() { cancel(); <-over })
				until(t, "another one waits", func() bool { return queue.Count(look) == 1 })
				waiting = 1
			}
			var took []time.Duration
			one := func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				done := make(chan error, 1)
				go func() {
					l, err := sole.Acquire(ctx, "n", append(c.wants, sole.Dir(dir))...)
					if err == nil {
						l.Release()
					}
					done <- err
				}()
				until(t, "it waits", func() bool { return queue.Count(look) == waiting+1 })
				time.Sleep(time.Duration(len(took)%4) * time.Millisecond) // not always at the same place
				from := time.Now()
				cancel()
				select {
				case err := <-done:
					took = append(took, time.Since(from))
					var busy *sole.BusyError
					if !errors.Is(err, context.Canceled) || !errors.As(err, &busy) || busy.Holder.State != sole.Held {
						t.Fatalf("%v", err)
					}
				case <-time.After(stuck):
					t.Fatal("it hangs")
				}
				if n := queue.Count(look); n != waiting {
					t.Fatalf("%d tickets are left", n-waiting)
				}
			}
			for range 30 { // warm up
				one()
			}
			took = nil
			goroutines, tasks, fds := runtime.NumGoroutine(), threads(t), descriptors(t)
			for range many(100) {
				one()
			}
			spare := runtime.GOMAXPROCS(0)
			until(t, "nothing is left behind", func() bool {
				return runtime.NumGoroutine() <= goroutines && threads(t) <= tasks+spare && descriptors(t) <= fds
			})
			slices.Sort(took)
			p50 := took[len(took)/2]
			t.Logf("p50 %s, max %s", p50, took[len(took)-1])
			limit := 20 * time.Millisecond // on a busy machine
			if strings.HasPrefix(c.name, "replace") {
				limit *= 5 // it may be looking through the processes
			}
			if p50 > limit {
				t.Errorf("half of the cancels take longer than %s", p50)
			}
		})
	}
}

func holdAlone(t *testing.T, dir string) { holdWith(t, dir) }

func holdSlots(t *testing.T, dir string) {
	for range 3 {
		holdWith(t, dir, sole.Slots(3))
	}
}

func holdWith(t *testing.T, dir string, opts ...sole.Option) {
	t.Helper()
	l, err := sole.TryAcquire("n", append(opts, sole.Dir(dir))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Release() })
}

// holdStubbornly has another process hold the name that takes no notice of TERM.
func holdStubbornly(t *testing.T, dir string) {
	t.Helper()
	r, w := pipe(t)
	c := soleCmd(dir, "run", "n", "--", "/bin/sh", "-c", `trap "" TERM; echo up; read -r x`)
	c.Stdin = r
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); r.Close(); c.Wait() })
	if line, err := readLine(out); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
}
