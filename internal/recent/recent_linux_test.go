package recent

import (
	"os"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
)

func TestFacts(t *testing.T) {
	dir, err := lockdir.Open(t.TempDir(), lockdir.Use)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	run := uint64(0)
	add := func(o history.Outcome, took time.Duration, limit int64) {
		t.Helper()
		end = end.Add(time.Hour)
		e := history.Entry{Name: "n", Started: end.Add(-took), Ended: end, Lasted: took, Outcome: o}
		if o != history.Skipped {
			run++
			e.Run = run
		}
		if err := history.Append(dir, &e, limit); err != nil {
			t.Fatal(err)
		}
	}
	var r Reader
	if f := r.Of(dir, "n"); f.P50 != 0 || f.Outcome() != history.None || !f.Ended.IsZero() {
		t.Errorf("without a history: %+v", f)
	}
	for i := range 40 {
		add(history.OK, time.Duration(i+1)*time.Second, history.Limit)
		add(history.Skipped, 0, history.Limit)
	}
	f := r.Of(dir, "n") // the last 32 took 9 to 40 seconds
	if f.P50 != 24*time.Second || f.P95 != 39*time.Second || len(f.Last) != Outcomes || f.SkipsInRow != 1 {
		t.Errorf("%+v", f)
	}
	add(history.Failed, time.Minute, history.Limit)
	add(history.Skipped, 0, history.Limit)
	add(history.Skipped, 0, history.Limit)
	f = r.Of(dir, "n")
	if f.Outcome() != history.Failed || f.P50 != 24*time.Second || f.SkipsInRow != 2 || f.Lasted != time.Minute || !f.Ended.Equal(end.Add(-2*time.Hour)) {
		t.Errorf("after a failure: %+v", f)
	}
	add(history.Crashed, time.Hour, 1) // the file becomes the older one
	if f = r.Of(dir, "n"); f.Outcome() != history.Crashed || f.P50 != 24*time.Second || len(f.Last) != Outcomes {
		t.Errorf("in two files: %+v", f)
	}
	// What was not written to is not read again.
	k := r.known["n"]
	k.facts.P50 = 1
	r.known["n"] = k
	if f = r.Of(dir, "n"); f.P50 != 1 {
		t.Error("it was read again")
	}
	r.Keep([]string{"m"})
	if len(r.known) != 0 {
		t.Error("it was not forgotten")
	}
	if err := os.Remove(dir.History("n")); err != nil {
		t.Fatal(err)
	}
	if f = r.Of(dir, "n"); f.Outcome() != history.Skipped && f.P50 == 0 && len(f.Last) == 0 {
		t.Errorf("only the older file: %+v", f)
	}
}
