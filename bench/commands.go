package main

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sole-run/sole"
)

const command = "/bin/true"

// commandRow is a contest between command lines. The first side is ours, the
// second the peer of the figure, the others are printed below for comparison.
func (b *bench) commandRow(d time.Duration, figure int, target float64, name, against string, sides []*side) error {
	if err := contest(d, leastTurns, sides); err != nil {
		return err
	}
	r := row{name: name, figure: figure, ours: sides[0].got, peerName: against, target: target}
	others := sides[1:]
	if b.peers["flock"] != "" {
		r.peer = sides[1].got
		others = sides[2:]
	}
	b.table.ratio(r)
	for _, s := range others {
		b.table.ratio(row{name: "  same contest", ours: sides[0].got, peer: s.got, peerName: s.name})
	}
	return nil
}

// with appends a contender if its program is there.
func (b *bench) with(sides []*side, sp *spawner, peer string, want int, name string, words ...string) []*side {
	path := b.peers[peer]
	if path == "" {
		return sides
	}
	return append(sides, sp.side(name, want, append([]string{path}, words...)...))
}

func (b *bench) runRow(d time.Duration) error {
	sp, err := b.newSpawner(filepath.Join(b.disk, "run"))
	if err != nil {
		return err
	}
	file := filepath.Join(b.disk, "run.lock")
	sides := []*side{sp.side("sole run", 0, b.sole, "run", "n", "--", command)}
	sides = b.with(sides, sp, "flock", 0, "flock -n", "-n", file, command)
	sides = b.with(sides, sp, "floor", 0, "Go open+flock+spawn", file+".floor", command)
	sides = b.with(sides, sp, "empty", 0, "an empty Go program")
	return b.commandRow(d, 1, 1.5, "sole run n -- /bin/true", "flock -n f /bin/true", sides)
}

func (b *bench) execRow(d time.Duration) error {
	sp, err := b.newSpawner(filepath.Join(b.disk, "exec"))
	if err != nil {
		return err
	}
	file := filepath.Join(b.disk, "exec.lock")
	sides := []*side{sp.side("sole run --exec", 0, b.sole, "run", "--exec", "n", "--", command)}
	sides = b.with(sides, sp, "flock", 0, "flock -n -F", "-n", "-F", file, command)
	sides = b.with(sides, sp, "setlock", 0, "setlock -n", "-n", file+".set", command)
	return b.commandRow(d, 2, 1.4, "sole run --exec n -- /bin/true", "flock -n -F f /bin/true", sides)
}

func (b *bench) skipRow(d time.Duration) error {
	dir := filepath.Join(b.disk, "skip")
	sp, err := b.newSpawner(dir)
	if err != nil {
		return err
	}
	lock, err := sole.TryAcquire("n", sole.Dir(dir))
	if err != nil {
		return err
	}
	defer lock.Release()
	held, err := os.Create(filepath.Join(b.disk, "skip.lock"))
	if err != nil {
		return err
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	sides := []*side{sp.side("a skip", 75, b.sole, "run", "n", "--", command)}
	sides = b.with(sides, sp, "flock", 1, "flock -n", "-n", held.Name(), command)
	sides = b.with(sides, sp, "setlock", 111, "setlock -n", "-n", held.Name(), command)
	return b.commandRow(d, 3, 2, "a skip, with its message", "flock -n, held", sides)
}
