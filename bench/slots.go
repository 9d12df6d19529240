package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	slots = 4
	// slotCrowd is how many come at once for the slots.
	slotCrowd = 12
)

// slotRows compares slots with GNU sem: a start that finds one free, and several times as
// many starts at once as there are slots.
func (b *bench) slotRows(d time.Duration) error {
	sp, err := b.newSpawner(filepath.Join(b.disk, "slots"))
	if err != nil {
		return err
	}
	home := filepath.Join(b.disk, "parallel")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	// It asks people to cite it, once.
	if err := os.WriteFile(filepath.Join(home, "will-cite"), nil, 0o600); err != nil {
		return err
	}
	sp.env = append(sp.env, "PARALLEL_HOME="+home)
	ours := []string{b.sole, "run", "--slots", fmt.Sprint(slots), "--wait", "n", "--", command}
	peer := []string{b.peers["sem"], "--id", "n", "-j" + fmt.Sprint(slots), "--fg", command}
	single := []*side{sp.side("sole run --slots", 0, ours...)}
	many := []*side{sp.crowdSide("sole run --slots", ours)}
	if b.peers["sem"] != "" {
		single = append(single, sp.side("sem", 0, peer...))
		many = append(many, sp.crowdSide("sem", peer))
	}
	if err := b.slotRow(d/2, 3, "sole run --slots 4 --wait n", single); err != nil {
		return err
	}
	return b.slotRow(d/2, 1, fmt.Sprintf("  %d of them at once, in all", slotCrowd), many)
}

func (b *bench) slotRow(d time.Duration, least int, name string, sides []*side) error {
	if err := contest(d, least, sides); err != nil {
		return err
	}
	r := row{name: name, ours: sides[0].got, peerName: "sem --id n -j4 --fg"}
	if len(sides) > 1 {
		r.peer = sides[1].got
	}
	b.table.ratio(r)
	return nil
}

// crowdSide starts a command many times at once, and waits for the end of all.
func (s *spawner) crowdSide(name string, argv []string) *side {
	return &side{name: name + ", at once", once: func() (time.Duration, error) {
		begin := time.Now()
		codes, err := s.crowd(slotCrowd, argv)
		took := time.Since(begin)
		if err == nil && codes[0] != slotCrowd {
			err = fmt.Errorf("exit codes %v", codes)
		}
		return took, err
	}}
}

// crowd starts a command n times, and returns how often which exit code came. A
// death by signal is -1.
func (s *spawner) crowd(n int, argv []string) (map[int]int, error) {
	codes, pids, err := map[int]int{}, []int(nil), error(nil)
	for range n {
		pid, startErr := s.start(argv)
		if startErr != nil {
			err = startErr
			break
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		ws, waitErr := await(pid)
		if waitErr != nil {
			return codes, waitErr
		}
		codes[ws.ExitStatus()]++
	}
	return codes, err
}
