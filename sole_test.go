package sole_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sole-run/sole"
)

func TestSecondHolderIsRefused(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	lock, err := sole.TryAcquire("a", dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sole.TryAcquire("a", dir)
	var busy *sole.BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("second: %v", err)
	}
	t.Logf("%+v", busy.Holder)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := sole.Acquire(ctx, "a", dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("wait: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	st, err := sole.Inspect("a", dir)
	if err != nil || st.State != sole.Free || st.Run != 1 {
		t.Fatalf("%+v %v", st, err)
	}
	again, err := sole.TryAcquire("a", dir)
	if err != nil || again.Run() != 2 {
		t.Fatalf("%v, run %d", err, again.Run())
	}
	again.Release()
}

func BenchmarkTryAcquire(b *testing.B) {
	dir := sole.Dir(b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		l, err := sole.TryAcquire("a", dir)
		if err != nil {
			b.Fatal(err)
		}
		l.Release()
	}
}
