package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bench is one run of all rows.
type bench struct {
	sole   string // absolute path of the binary
	self   string // this program, to be started again as a helper
	total  time.Duration
	disk   string // temp dir on the disk
	shm    string // temp dir on tmpfs, "" if there is none
	table  table
	peers  map[string]string // absolute paths; a missing one is not in it
	failed bool
	undo   undoList
}

func newBench(bin string, total time.Duration) (*bench, error) {
	b := &bench{total: total, peers: map[string]string{}}
	var err error
	if bin == "" {
		bin = "sole"
	}
	if bin, err = exec.LookPath(bin); err != nil {
		return nil, err
	}
	if b.sole, err = filepath.Abs(bin); err != nil {
		return nil, err
	}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	b.undo.onSignal()
	if b.disk, err = b.tempDir(""); err != nil {
		return nil, err
	}
	if filesystem("/dev/shm") == "tmpfs" {
		if b.shm, err = b.tempDir("/dev/shm"); err != nil {
			b.table.missing("tmpfs: " + err.Error())
		}
	} else {
		b.table.missing("tmpfs at /dev/shm")
	}
	b.findPeers()
	return b, nil
}

func (b *bench) tempDir(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "sole-bench-")
	if err == nil {
		b.undo.add(func() { _ = os.RemoveAll(dir) })
	}
	return dir, err
}

// all runs every row. The shares add up to less than the whole: starting helpers,
// filling the directory of ls and lslocks take the rest.
func (b *bench) all() bool {
	b.table.head(b)
	steps := []struct {
		what  string
		share float64
		run   func(time.Duration) error
	}{
		{"run", 0.14, b.runRow},
		{"exec", 0.10, b.execRow},
		{"skip", 0.08, b.skipRow},
		{"library", 0.10, b.libraryRows},
		{"hand-over", 0.20, b.handoverRows},
		{"slots", 0.08, b.slotRows},
		{"burst", 0.04, b.burstRow},
		{"cancel", 0.04, b.cancelRow},
		{"ls", 0.05, b.listRow},
		{"history", 0.04, b.historyRows},
		{"memory", 0.06, b.memoryRow},
		{"size", 0, b.sizeRow},
	}
	var took []string
	for _, s := range steps {
		begin := time.Now()
		if err := s.run(time.Duration(s.share * float64(b.total))); err != nil {
			b.failed = true
			b.table.note(fmt.Sprintf("%s: NOT MEASURED: %v", s.what, err))
		}
		took = append(took, fmt.Sprintf("%s %.1fs", s.what, time.Since(begin).Seconds()))
	}
	b.table.note("time spent: " + strings.Join(took, ", "))
	b.table.foot()
	return !b.failed
}

func (b *bench) clean() { b.undo.run() }
