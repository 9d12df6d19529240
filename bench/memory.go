package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const limitMB = 6

// memoryRow looks at a supervisor while it supervises: one that needs the Go runtime,
// as a name's first run does, and one that does not.
func (b *bench) memoryRow(d time.Duration) error {
	sp, err := b.newSpawner(filepath.Join(b.disk, "memory"))
	if err != nil {
		return err
	}
	if err := b.memoryOf(sp, d/2, "memory of a supervisor, first run"); err != nil {
		return err
	}
	return b.memoryOf(sp, d/2, "memory of a supervisor")
}

func (b *bench) memoryOf(sp *spawner, d time.Duration, row string) error {
	pid, err := sp.start([]string{b.sole, "run", "n", "--", "/bin/sleep", "60"})
	if err != nil {
		return err
	}
	// sole passes the signal on to sleep and ends with it.
	ended := false
	stop := func() {
		if !ended {
			ended = true
			_ = syscall.Kill(pid, syscall.SIGTERM)
			_, _ = await(pid)
		}
	}
	b.undo.add(stop)
	defer stop()
	// From the first second on it watches the lock file: that belongs to it too.
	time.Sleep(1500 * time.Millisecond)
	before := ticks(pid)
	over := min(max(d, time.Second), 3*time.Second)
	time.Sleep(over)
	used := ticks(pid) - before
	rss, threads := statusOf(pid, "VmRSS:"), statusOf(pid, "Threads:")
	if rss == 0 {
		return fmt.Errorf("the supervisor %d has gone", pid)
	}
	b.table.amount(row, 8, float64(rss)/1024, limitMB, used > 0,
		fmt.Sprintf("VmRSS %d kB (anonymous %d kB), %d threads, %d CPU ticks in %s", rss, statusOf(pid, "RssAnon:"), threads, used, over))
	return nil
}

func (b *bench) sizeRow(time.Duration) error {
	st, err := os.Stat(b.sole)
	if err != nil {
		return err
	}
	b.table.amount("size of the binary", 9, float64(st.Size())/(1<<20), limitMB, false, fmt.Sprintf("%d bytes", st.Size()))
	return nil
}
