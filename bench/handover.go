package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// handoverRows measures from the release by one process to the acquisition by the next.
func (b *bench) handoverRows(d time.Duration) error {
	for _, n := range []int{1, 10, 100} {
		if err := b.handover(d/3, n); err != nil {
			return fmt.Errorf("%d waiters: %w", n, err)
		}
	}
	return nil
}

func (b *bench) handover(d time.Duration, n int) error {
	ours, err := b.newQueue("sole", filepath.Join(b.disk, "wait"), n)
	if err != nil {
		return err
	}
	defer ours.close()
	endless, err := b.newQueue("endless", filepath.Join(b.disk, "endless"), n)
	if err != nil {
		return err
	}
	defer endless.close()
	peer, err := b.newQueue("flock", filepath.Join(b.disk, "wait.lock"), n)
	if err != nil {
		return err
	}
	defer peer.close()
	end := time.Now().Add(d)
	// The first two rounds find cold processes.
	for i := -2; i < 3 || time.Now().Before(end); i++ {
		for _, q := range []*queue{ours, peer, endless} {
			if err := q.round(i >= 0); err != nil {
				return fmt.Errorf("%s: %w", q.kind, err)
			}
		}
	}
	busy, err := idleTicks(ours, min(time.Second, d/2))
	if err != nil {
		return err
	}
	b.table.ratio(row{name: fmt.Sprintf("hand-over, %d waiting", n), figure: 5,
		ours: ours.got, peer: peer.got, peerName: "flock(2), blocking", target: 1.5,
		broken: ours.flipped+ours.overlap+busy > 0,
		note: fmt.Sprintf("inversions: ours %d of %d, flock %d of %d; CPU ticks while waiting %d",
			ours.flipped, len(ours.got), peer.flipped, len(peer.got), busy)})
	b.table.ratio(row{name: fmt.Sprintf("  same, %d, no deadline", n), ours: endless.got, peer: peer.got, peerName: "flock(2), blocking",
		note: fmt.Sprintf("inversions: %d of %d", endless.flipped, len(endless.got))})
	return nil
}

// idleTicks is the CPU that the waiters use while nothing happens.
func idleTicks(q *queue, d time.Duration) (int, error) {
	release, err := q.take()
	if err != nil {
		return 0, err
	}
	defer release()
	for i, p := range q.procs {
		if _, err := q.begin[i].Write([]byte{1}); err != nil {
			return 0, err
		}
		if err := blocked(p.Process.Pid); err != nil {
			return 0, err
		}
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
