package sole_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sole-run/sole"
)

// Slots are the lowest free ones, by each start's own number of them; others have none.
func TestSlotOfALock(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	var locks []*sole.Lock
	for want := 1; want <= 3; want++ {
		l := acquire(t, "a", dir, sole.Slots(3))
		if l.Slot() != want {
			t.Errorf("slot %d, want %d", l.Slot(), want)
		}
		locks = append(locks, l)
	}
	var busy *sole.BusyError
	if _, err := sole.TryAcquire("a", dir, sole.Slots(3)); !errors.As(err, &busy) || busy.Holder.Mode != sole.SlotsUsed || len(busy.Holder.Others) != 2 {
		t.Errorf("a fourth: %v", err)
	}
	_ = locks[1].Release()
	if _, err := sole.TryAcquire("a", dir, sole.Slots(1)); !errors.As(err, &busy) {
		t.Errorf("one of one: %v", err)
	}
	if l := acquire(t, "a", dir, sole.Slots(9)); l.Slot() != 2 {
		t.Errorf("slot %d, want 2", l.Slot())
	}
	if l := acquire(t, "a", dir, sole.Shared()); l.Slot() != 0 {
		t.Errorf("one that shares has slot %d", l.Slot())
	}
	if l := acquire(t, "b", dir, sole.Slots(0)); l.Slot() != 0 {
		t.Errorf("one that is alone has slot %d", l.Slot())
	}
}

// Of those with Queue one waits, and the others are told.
func TestQueueOption(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	l := acquire(t, "a", dir)
	got := make(chan error, 1)
	go func() {
		l, err := sole.Acquire(context.Background(), "a", dir, sole.Queue())
		if err == nil {
			err = l.Release()
		}
		got <- err
	}()
	for st := (sole.Status{}); st.Waiters == 0; {
		var err error
		if st, err = sole.Inspect("a", dir); err != nil {
			t.Fatal(err)
		}
	}
	var busy *sole.BusyError
	if _, err := sole.Acquire(t.Context(), "a", dir, sole.Queue()); !errors.As(err, &busy) || !busy.Queued || busy.Holder.Waiters != 1 {
		t.Errorf("a second one: %v", err)
	}
	_ = l.Release()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// Options that contradict each other are refused with both names and the reason, and nothing is
// taken or waited for.
func TestOptionsThatContradict(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	acquire(t, "held", dir)
	replace := sole.Replace(sole.Replacement{})
	for _, c := range []struct {
		opts  []sole.Option
		only  bool // with TryAcquire
		words []string
	}{
		{[]sole.Option{sole.Shared(), sole.Slots(2)}, false, []string{"Shared", "Slots"}},
		{[]sole.Option{replace, sole.Shared()}, false, []string{"Replace", "Shared"}},
		{[]sole.Option{replace, sole.Slots(2)}, false, []string{"Replace", "Slots"}},
		{[]sole.Option{replace, sole.Queue()}, false, []string{"Replace", "Queue"}},
		{[]sole.Option{sole.Slots(-1)}, false, []string{"-1 slots", "1 to 1000"}},
		{[]sole.Option{sole.Slots(sole.MaxSlots + 1)}, false, []string{"1001 slots", "1 to 1000"}},
		{[]sole.Option{replace}, true, []string{"Replace", "TryAcquire"}},
		{[]sole.Option{sole.Queue()}, true, []string{"Queue", "TryAcquire"}},
	} {
		opts := append(c.opts, dir)
		check := func(err error) {
			t.Helper()
			var bad *sole.OptionError
			if !errors.As(err, &bad) {
				t.Errorf("%v: %v", c.words, err)
				return
			}
			for _, w := range c.words {
				if !strings.Contains(bad.Problem, w) {
					t.Errorf("%q is missing in %q", w, bad.Problem)
				}
			}
		}
		_, err := sole.TryAcquire("held", opts...)
		check(err)
		if !c.only {
			_, err := sole.Acquire(t.Context(), "held", opts...)
			check(err)
		}
	}
}
