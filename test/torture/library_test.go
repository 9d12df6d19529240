//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

func threads(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestCancelledWaitsLeaveNothing(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	lock, err := sole.TryAcquire("n", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var took []time.Duration
	cancelOne := func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			l, err := sole.Acquire(ctx, "n", dir)
			if l != nil {
				l.Release()
			}
			done <- err
		}()
		switch i % 3 {
		case 0: // in the queue
			for st := (sole.Status{}); st.Waiters == 0; {
				if st, err = sole.Inspect("n", dir); err != nil {
					t.Fatal(err)
				}
			}
		case 1: // somewhere on the way
			for range rand.IntN(50) {
				runtime.Gosched()
			}
		}
		from := time.Now()
		cancel()
		select {
		case err := <-done:
			took = append(took, time.Since(from))
			var busy *sole.BusyError
			if !errors.Is(err, context.Canceled) || !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() {
				t.Fatalf("cancel %d: %v", i, err)
			}
		case <-time.After(stuck):
			t.Fatalf("cancel %d hangs", i)
		}
	}
	for i := range 60 { // warm up
		cancelOne(i)
	}
	took = nil
	goroutines, tasks, fds := runtime.NumGoroutine(), threads(t), descriptors(t)
	n := repeat(t, 500, 5000, cancelOne)
	// The runtime starts some for itself, as many as can run at once.
	spare := runtime.GOMAXPROCS(0)
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > goroutines || threads(t) > tasks+spare || descriptors(t) > fds {
		if time.Now().After(deadline) {
			t.Errorf("left behind: goroutines %d→%d, threads %d→%d, descriptors %d→%d",
				goroutines, runtime.NumGoroutine(), tasks, threads(t), fds, descriptors(t))
			break
		}
		runtime.Gosched()
	}
	st, err := sole.Inspect("n", dir)
	if err != nil || st.Waiters != 0 {
		t.Errorf("%d waiters are left, %v", st.Waiters, err)
	}
	// A waiter that was abandoned would get the name now.
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := sole.TryAcquire("n", dir)
	if err != nil {
		t.Fatalf("after the cancels: %v", err)
	}
	again.Release()
	slices.Sort(took)
	t.Logf("%d cancels: p50 %v, p99 %v, max %v; threads %d", n, took[n/2], took[n*99/100], took[n-1], threads(t))
}

// blocked counts who is blocked in flock(2) on the file.
func blocked(t *testing.T, path string) int {
	t.Helper()
	n, err := blockedOn(path)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func blockedOn(path string) (n int, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, err
	}
	b, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0, err
	}
	inode := fmt.Sprintf(":%d ", st.Ino)
	for l := range strings.Lines(string(b)) {
		if strings.Contains(l, "-> FLOCK") && strings.Contains(l, inode) {
			n++
		}
	}
	return n, nil
}

func TestWaitersInOrderOfArrival(t *testing.T) {
	repeat(t, 1, 10, func(int) { waitersInOrder(t, 100) })
}

func waitersInOrder(t *testing.T, n int) {
	dir, w := t.TempDir(), t.TempDir()
	lock, err := sole.TryAcquire("n", sole.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	ends := make(chan result, n)
	var all []*exec.Cmd
	defer func() {
		if t.Failed() {
			for _, c := range all {
				c.Process.Kill()
			}
		}
	}()
	for i := range n {
		c := soleCmd(dir, "run", "--wait", "n", "--", "/bin/sh", "-c", fmt.Sprintf(`echo %d >>"$W/order"`, i))
		c.Env = append(c.Env, "W="+w)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		go func() { ends <- ended(c.Wait()) }()
		deadline := time.Now().Add(stuck)
		for {
			st, err := sole.Inspect("n", sole.Dir(dir))
			if err != nil || st.State != sole.Held || st.Waiters > i+1 || time.Now().After(deadline) {
				t.Fatalf("waiter %d: %+v %v", i+1, st, err)
			}
			// The mark comes before the place in the queue.
			if st.Waiters == i+1 && blocked(t, lock.Path()) == i+1 {
				break
			}
		}
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	for range n {
		select {
		case r := <-ends:
			if r.code != 0 {
				t.Errorf("a waiter: exit %d %s", r.code, r.signal)
			}
		case <-time.After(stuck):
			t.Fatal("a waiter hangs")
		}
	}
	order := lines(filepath.Join(w, "order"))
	if len(order) != n {
		t.Fatalf("%d of %d waiters ran", len(order), n)
	}
	for i, o := range order {
		if o != fmt.Sprint(i) {
			t.Errorf("waiter %s was number %d: %v", o, i, order)
			return
		}
	}
}
