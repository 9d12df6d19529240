package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/sole-run/sole"
)

// cancelRow ends waits, and looks for what they leave behind.
func (b *bench) cancelRow(d time.Duration) error {
	opt := sole.Dir(filepath.Join(b.disk, "cancel"))
	held, err := sole.TryAcquire("n", opt)
	if err != nil {
		return err
	}
	defer held.Release()
	var got sample
	var before, after leftovers
	end := time.Now().Add(d)
	for i := -20; i < 20 || time.Now().Before(end); i++ {
		if i == 0 { // the runtime keeps the threads that it has once needed
			before = countLeftovers()
		}
		took, err := cancelOnce(opt)
		if err != nil {
			return err
		}
		if i >= 0 {
			got = append(got, took)
		}
	}
	after = countLeftovers()
	b.table.limit(row{name: "cancelling a wait", figure: 6, ours: got, limit: time.Millisecond, byMax: true,
		broken: after.goroutines > before.goroutines || after.threads > before.threads,
		note: fmt.Sprintf("%d cancels, max %s; goroutines %d→%d, threads %d→%d, descriptors %d→%d", len(got), short(got.max()),
			before.goroutines, after.goroutines, before.threads, after.threads, before.files, after.files)})
	return nil
}

func cancelOnce(opt sole.Option) (time.Duration, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int64, 1)
	var l *sole.Lock
	go func() {
		l, _ = sole.Acquire(ctx, "n", opt)
		ended <- stamp()
	}()
	time.Sleep(2 * time.Millisecond) // until it blocks
	begin := stamp()
	cancel()
	end := <-ended
	if l != nil {
		return 0, fmt.Errorf("a held name was acquired: %w", l.Release())
	}
	return time.Duration(end - begin), nil
}

type leftovers struct{ goroutines, threads, files int }

func countLeftovers() leftovers {
	time.Sleep(5 * time.Millisecond) // goroutines that are about to end
	count := func(dir string) int {
		e, _ := os.ReadDir(dir)
		return len(e)
	}
	return leftovers{runtime.NumGoroutine(), count("/proc/self/task"), count("/proc/self/fd")}
}
