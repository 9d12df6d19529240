package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/nightlyone/lockfile"
	"github.com/sole-run/sole"
)

// libraryRows takes and gives up a free name in this process.
func (b *bench) libraryRows(d time.Duration) error {
	for _, dir := range []string{b.disk, b.shm} {
		if dir == "" {
			continue
		}
		where := filesystem(dir)
		ours, peer := soleSide(filepath.Join(dir, "lib")), gofrsSide(filepath.Join(dir, "gofrs.lock"))
		floor, err := bareSide(filepath.Join(dir, "bare"), false)
		if err != nil {
			return err
		}
		looking, err := bareSide(filepath.Join(dir, "looking"), true)
		if err != nil {
			return err
		}
		if err := contest(d/3, leastTurns, []*side{ours, peer, floor, looking}); err != nil {
			return err
		}
		b.table.ratio(row{name: "TryAcquire+Release, " + where, figure: 4,
			ours: ours.got, peer: peer.got, peerName: "gofrs/flock", target: 1.3})
		b.table.ratio(row{name: "  its bare calls, " + where, ours: floor.got, peer: peer.got, peerName: "gofrs/flock"})
		b.table.ratio(row{name: "  and two looks for waiters", ours: looking.got, peer: peer.got, peerName: "gofrs/flock"})

		// A contest of its own: nightlyone makes and removes files, and the journal
		// work that leaves behind would fall on whoever comes next.
		ours, peer = soleSide(filepath.Join(dir, "lib")), nightlyoneSide(filepath.Join(dir, "nightlyone.lock"))
		if err := contest(d/6, leastTurns, []*side{ours, peer}); err != nil {
			return err
		}
		b.table.ratio(row{name: "  same, " + where, ours: ours.got, peer: peer.got, peerName: "nightlyone/lockfile"})
	}
	return nil
}

// A new value is made each time on both sides: that is how a program uses it once.

func soleSide(dir string) *side {
	opt := sole.Dir(dir)
	return &side{name: "sole", once: func() (time.Duration, error) {
		begin := time.Now()
		l, err := sole.TryAcquire("n", opt)
		if err == nil {
			err = l.Release()
		}
		return time.Since(begin), err
	}}
}

func gofrsSide(path string) *side {
	return &side{name: "gofrs/flock", once: func() (time.Duration, error) {
		begin := time.Now()
		l := flock.New(path)
		got, err := l.TryLock()
		if err == nil && !got {
			err = fmt.Errorf("%s is held", path)
		}
		if err == nil {
			err = l.Unlock()
		}
		return time.Since(begin), err
	}}
}

func nightlyoneSide(path string) *side {
	return &side{name: "nightlyone/lockfile", once: func() (time.Duration, error) {
		begin := time.Now()
		l, err := lockfile.New(path)
		if err == nil {
			err = l.TryLock()
		}
		if err == nil {
			err = l.Unlock()
		}
		return time.Since(begin), err
	}}
}
