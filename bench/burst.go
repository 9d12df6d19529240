package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sole-run/sole"
)

// burstRow has a burst of triggers come during a run (sole run --queue): one is to be left,
// which runs once the run has ended; the others are to be gone at once.
func (b *bench) burstRow(d time.Duration) error {
	n := 1000
	if b.total < leastForThousand {
		n = 100
		b.table.note(fmt.Sprintf("sole run --queue: %d triggers, 1000 in runs of %s and more", n, leastForThousand))
	}
	dir := filepath.Join(b.disk, "burst")
	sp, err := b.newSpawner(dir)
	if err != nil {
		return err
	}
	held, err := os.Create(filepath.Join(b.disk, "burst.lock"))
	if err != nil {
		return err
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	var tail sample
	sides := []*side{{name: "sole run --queue", once: func() (time.Duration, error) { return b.burst(sp, dir, n, &tail) }}}
	if path := b.peers["flock"]; path != "" {
		argv := []string{path, "-n", held.Name(), command}
		sides = append(sides, &side{name: "flock -n", once: func() (time.Duration, error) {
			begin := time.Now()
			codes, err := sp.crowd(n, argv)
			took := time.Since(begin)
			if err == nil && codes[1] != n {
				err = fmt.Errorf("exit codes %v", codes)
			}
			return took, err
		}})
	}
	if err := contest(d, 1, sides); err != nil {
		return err
	}
	r := row{name: fmt.Sprintf("%d × sole run --queue in a run", n), ours: sides[0].got, peerName: "flock -n, held",
		note: fmt.Sprintf("all but one are gone when the run ends; then exactly one more run, over %s after it (p50)", short(tail.at(50)))}
	if len(sides) > 1 {
		r.peer = sides[1].got
	}
	b.table.ratio(r)
	return nil
}

// burst starts n triggers during a run, and returns how long it took until all but the
// one that waits had ended. tail gets how long after the end of the run the next one was over.
func (b *bench) burst(sp *spawner, dir string, n int, tail *sample) (time.Duration, error) {
	run, err := sole.TryAcquire("n", sole.Dir(dir))
	if err != nil {
		return 0, err
	}
	first := run.Run()
	argv := []string{b.sole, "run", "--queue", "n", "--", command}
	begin := time.Now()
	pids := map[int]bool{}
	for range n {
		pid, err := sp.start(argv)
		if err != nil {
			return 0, err
		}
		pids[pid] = true
	}
	codes := map[int]int{}
	if err := awaitAllButOne(pids, codes); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	end := time.Now()
	if err := run.Release(); err != nil {
		return 0, err
	}
	ws, err := syscall.WaitStatus(0), error(nil)
	for pid := range pids {
		ws, err = await(pid)
	}
	*tail = append(*tail, time.Since(end))
	if err != nil || ws.ExitStatus() != 0 || codes[75] != n-1 {
		return 0, fmt.Errorf("exit codes %v, and %d of the one that waited: %w", codes, ws.ExitStatus(), err)
	}
	last, err := sole.Inspect("n", sole.Dir(dir))
	if err == nil && last.Run != first+1 {
		err = fmt.Errorf("%d runs followed", last.Run-first)
	}
	return took, err
}

// awaitAllButOne waits for the end of processes, takes them out of pids and counts their
// exit codes. This process may have others, which are somebody else's to wait for.
func awaitAllButOne(pids map[int]bool, codes map[int]int) error {
	for end := time.Now().Add(time.Minute); ; {
		for pid := range pids {
			if len(pids) == 1 {
				return nil
			}
			var ws syscall.WaitStatus
			got, err := syscall.Wait4(pid, &ws, syscall.WNOHANG, nil)
			if err != nil && err != syscall.EINTR {
				return err
			}
			if got == pid {
				delete(pids, pid)
				codes[ws.ExitStatus()]++
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d triggers are still there", len(pids))
		}
		time.Sleep(200 * time.Microsecond)
	}
}
