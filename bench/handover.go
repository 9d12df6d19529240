package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// leastForThousand is the budget below which a thousand processes cannot be lined up.
const leastForThousand = 30 * time.Second

// handoverRows measures from the release by one process to the acquisition by the next.
func (b *bench) handoverRows(d time.Duration) error {
	if b.total < leastForThousand {
		b.table.note(fmt.Sprintf("hand-over, 1000 waiting: not in runs shorter than %s (DURATION=30s)", leastForThousand))
		return b.handovers(d, 1, 10, 100)
	}
	if err := b.handovers(d/2, 1, 10, 100); err != nil {
		return err
	}
	return b.handovers(d/2, 1000)
}

func (b *bench) handovers(d time.Duration, counts ...int) error {
	for _, n := range counts {
		if err := b.handover(d/time.Duration(len(counts)), n); err != nil {
			return fmt.Errorf("%d waiters: %w", n, err)
		}
	}
	return nil
}

func (b *bench) handover(d time.Duration, n int) error {
	end := time.Now().Add(d)
	dir := filepath.Join(b.disk, fmt.Sprintf("wait%d", n))
	c, err := b.newCrowd(dir, n)
	if c != nil {
		defer c.close()
	}
	if err != nil {
		return err
	}
	all := c.queues(dir)
	// The first rounds find cold processes.
	cold, least := 2, 3
	if n >= 1000 {
		cold, least = 1, 1
	}
	for i := -cold; i < least || time.Now().Before(end); i++ {
		for _, q := range all {
			if err := q.round(i >= 0); err != nil {
				return fmt.Errorf("%s: %w", q.kind, err)
			}
		}
	}
	ours, peer, endless, floor := all[0], all[1], all[2], all[3]
	busy, err := idleTicks(ours, min(time.Second, d/2))
	if err != nil {
		return err
	}
	b.table.ratio(row{name: fmt.Sprintf("hand-over, %d waiting", n), figure: 5,
		ours: ours.got, peer: peer.got, peerName: "flock(2), blocking", target: 1.5,
		broken: ours.flipped+ours.overlap+busy > 0,
		note: fmt.Sprintf("inversions: ours %d of %d, flock %d of %d; CPU ticks while waiting %d; the waiters have %d MB",
			ours.flipped, len(ours.got), peer.flipped, len(peer.got), busy, c.memory())})
	b.table.ratio(row{name: fmt.Sprintf("  same, %d, no deadline", n), ours: endless.got, peer: peer.got, peerName: "flock(2), blocking",
		note: fmt.Sprintf("inversions: %d of %d", endless.flipped, len(endless.got))})
	b.table.ratio(row{name: "  its bare calls", ours: floor.got, peer: peer.got, peerName: "flock(2), blocking"})
	return nil
}

// idleTicks is the CPU that the waiters use while nothing happens.
func idleTicks(q *queue, d time.Duration) (int, error) {
	release, err := q.take()
	if err != nil {
		return 0, err
	}
	defer release()
	if err := q.lineUp(); err != nil {
		return 0, err
	}
	sum := func() (total int) {
		for _, p := range q.procs {
			total += ticks(p.Process.Pid)
		}
		return total
	}
	before := sum()
	time.Sleep(d)
	return sum() - before, nil
}
