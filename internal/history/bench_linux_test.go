package history

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// million is a history of a million records.
func million(b *testing.B) Files {
	d := dirFor(b)
	var all bytes.Buffer
	var line [MaxLine]byte
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 1_000_000 {
		e := Entry{
			Name: "backup", Run: uint64(i + 1), Started: at, Ended: at.Add(time.Duration(i%60) * time.Second),
			Lasted: time.Duration(i%60) * time.Second, Outcome: OK, User: "root", Host: "web1.example.org", PID: i % 32768,
			Command: []string{"/usr/local/bin/backup.sh", "--all", "/data"},
		}
		if i%5 == 0 {
			e.Run, e.Outcome, e.ExitCode, e.HolderRun, e.HolderPID, e.HolderStarted = 0, Skipped, NoCode, uint64(i), 812, at
		}
		all.Write(line[:e.Encode(&line)])
		at = at.Add(time.Minute)
	}
	if err := os.WriteFile(d.History("backup"), all.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return FilesIn(d, "backup")
}

func BenchmarkStatsOfAMillion(b *testing.B) {
	files := million(b)
	for b.Loop() {
		var s Stats
		if _, err := files.Forward(s.Add); err != nil || s.Runs() != 800_000 {
			b.Fatal(s.Count, err)
		}
	}
}

func BenchmarkLastTwentyOfAMillion(b *testing.B) {
	files := million(b)
	for b.Loop() {
		n := 0
		if _, err := files.Backward(func(*Line) bool { n++; return n < 1000 }); err != nil {
			b.Fatal(err)
		}
	}
}
