package flock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
)

// open opens path once more: locks belong to the open file description.
func open(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func locked(t *testing.T, path string) int {
	t.Helper()
	fd := open(t, path)
	if got, err := flock.TryLock(fd, flock.Exclusive); !got || err != nil {
		t.Fatalf("got %v, %v", got, err)
	}
	return fd
}

func TestSecondIsRefusedUntilUnlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	a, b := locked(t, path), open(t, path)
	if got, err := flock.TryLock(b, flock.Exclusive); got || err != nil {
		t.Fatalf("second: got %v, %v", got, err)
	}
	if err := flock.Unlock(a); err != nil {
		t.Fatal(err)
	}
	if got, err := flock.TryLock(b, flock.Exclusive); !got || err != nil {
		t.Fatalf("after unlock: got %v, %v", got, err)
	}
}

func TestMarksExcludeNobodyAndAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	a, b, look := locked(t, path), open(t, path), open(t, path)
	for _, m := range []struct {
		fd int
		at int64
	}{{a, 0}, {b, 0}, {a, 1 << 48}, {b, 1<<48 + 7}} {
		if got, err := flock.Mark(m.fd, m.at, flock.Shared); !got || err != nil {
			t.Fatal(got, err)
		}
	}
	if seen, err := flock.Marked(look, 0); !seen || err != nil {
		t.Fatalf("seen %v, %v", seen, err)
	}
	if seen, _ := flock.Marked(look, 1); seen {
		t.Fatal("a mark where there is none")
	}
	marks, err := flock.Marks(look, 1<<48, 1<<49)
	slices.Sort(marks)
	if want := []int64{1 << 48, 1<<48 + 7}; err != nil || !slices.Equal(marks, want) {
		t.Fatalf("%v, %v", marks, err)
	}
	_ = flock.Unmark(a, 0)
	if seen, _ := flock.Marked(look, 0); !seen {
		t.Fatal("one's unmark took the other's mark")
	}
	_ = unix.Close(b)
	if seen, _ := flock.Marked(look, 0); seen {
		t.Fatal("a mark outlived its descriptor")
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	locked(t, path)
	wait := func() {
		fd := open(t, path)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- flock.Lock(ctx, fd, flock.Exclusive) }()
		runtime.Gosched()
		cancel(nil)
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if got, _ := flock.TryLock(fd, flock.Exclusive); got {
			t.Fatal("a cancelled waiter got the lock")
		}
	}
	for range 20 {
		wait()
	}
	goroutines, threads := runtime.NumGoroutine(), threadsNow(t)
	for range 200 {
		wait()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	// A thread that has ended may still be in /proc for a moment.
	deadline := time.Now().Add(5 * time.Second)
	for n := threadsNow(t); n > threads+2; n = threadsNow(t) {
		if time.Now().After(deadline) {
			t.Fatalf("%d threads, %d before", n, threads)
		}
		runtime.Gosched()
	}
}

func TestWaiterGetsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, ctx := range []context.Context{context.Background(), t.Context()} {
		a, b := locked(t, path), open(t, path)
		done := make(chan error)
		go func() { done <- flock.Lock(ctx, b, flock.Exclusive) }()
		if err := flock.Unlock(a); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got, _ := flock.TryLock(a, flock.Exclusive); got {
			t.Fatal("the waiter does not hold it")
		}
		_ = flock.Unlock(b)
	}
}

// The lock on the whole file and those of processes exclude each other.
func TestRangeExcludesProcessLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	a, b := open(t, path), open(t, path)
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if got, err := flock.TryRange(a, flock.Shared); !got || err != nil {
		t.Fatal(got, err)
	}
	if err := unix.FcntlFlock(uintptr(b), unix.F_SETLK, &whole); err != unix.EAGAIN && err != unix.EACCES {
		t.Fatalf("beside a shared one: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- flock.LockRange(ctx, b, flock.Exclusive) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	go func() { done <- flock.LockRange(t.Context(), b, flock.Exclusive) }()
	if err := flock.UnlockRange(a); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, _ := flock.TryRange(a, flock.Shared); got {
		t.Fatal("a shared one beside an exclusive one")
	}
	if got, err := flock.TryLock(a, flock.Exclusive); !got || err != nil {
		t.Fatalf("flock(2) knows of it: %v, %v", got, err)
	}
}

func threadsNow(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// Only "would block" means that somebody has the lock. What else goes wrong must not
// pass for it, nor for having the lock.
func TestOnlyWouldBlockIsHeld(t *testing.T) {
	if unix.EWOULDBLOCK != unix.EAGAIN {
		t.Error("two numbers: both have to be asked for")
	}
	for _, fd := range []int{-1, 1 << 20} {
		if got, err := flock.TryLock(fd, flock.Exclusive); got || !errors.Is(err, unix.EBADF) {
			t.Errorf("%d: %v, %v", fd, got, err)
		}
		if got, err := flock.Mark(fd, 0, flock.Exclusive); got || !errors.Is(err, flock.ErrMarks) {
			t.Errorf("%d: %v, %v", fd, got, err)
		}
	}
}
