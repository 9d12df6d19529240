package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sole-run/sole/internal/history"
)

const historyRecords = 1_000_000

// writeHistory writes a history of so many records: each fifth one is a skip.
func writeHistory(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var line [history.MaxLine]byte
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		lasted := time.Duration(i%60) * time.Second
		e := history.Entry{
			Name: "backup", Run: uint64(i + 1), Started: at, Ended: at.Add(lasted), Lasted: lasted, Outcome: history.OK, User: "root",
			Host: "web1.example.org", PID: 1000 + i%30000, Command: []string{"/usr/local/bin/backup.sh", "--all", "/data"},
		}
		if i%5 == 0 {
			e.Run, e.Outcome, e.ExitCode, e.HolderRun, e.HolderPID, e.HolderStarted = 0, history.Skipped, history.NoCode, uint64(i), 812, at
		}
		if _, err := w.Write(line[:e.Encode(&line)]); err != nil {
			return err
		}
		at = at.Add(time.Minute)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// historyRows are the figures of the issue that asked for histories.
func (b *bench) historyRows(d time.Duration) error {
	dir := filepath.Join(b.disk, "history")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, "backup.history")
	if err := writeHistory(path, historyRecords); err != nil {
		return err
	}
	defer os.Remove(path)
	sp, err := b.newSpawner(dir)
	if err != nil {
		return err
	}
	sides := []*side{sp.side("sole history -n 20", 0, b.sole, "history", "-n", "20", "backup")}
	tail, tailErr := exec.LookPath("tail")
	if tailErr == nil {
		sides = append(sides, sp.side("tail", 0, tail, "-n", "20", path))
	}
	if err := contest(d/2, 5, sides); err != nil {
		return err
	}
	r := row{name: "sole history -n 20, 1e6 records", ours: sides[0].got, limit: 20 * time.Millisecond}
	if tailErr == nil {
		r.peerName, r.peer = "tail -n 20", sides[1].got
	}
	b.table.limit(r)
	sides = []*side{sp.side("sole history --stats", 0, b.sole, "history", "--stats", "backup")}
	wc, wcErr := exec.LookPath("wc")
	if wcErr == nil {
		sides = append(sides, sp.side("wc", 0, wc, "-l", path))
	}
	if err := contest(d/2, 3, sides); err != nil {
		return err
	}
	r = row{name: "sole history --stats, 1e6 records", ours: sides[0].got, limit: time.Second}
	if wcErr == nil {
		r.peerName, r.peer = "wc -l", sides[1].got
	}
	b.table.limit(r)
	return nil
}
