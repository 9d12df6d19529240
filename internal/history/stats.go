package history

import (
	"time"

	"github.com/sole-run/sole/internal/usual"
)

// Stats are what the records of a name say together.
type Stats struct {
	Totals
	First, Last Line // runs, not skips; without Entry
	LastFailed  time.Time
	LastOutcome Outcome // of the last run, None if there is none
	SkipsInRow  uint64  // since the last run ended, or began
	Usual       usual.Sample
}

// Add counts the next record.
func (s *Stats) Add(l *Line) {
	s.Totals.Add(l)
	if l.Outcome == Skipped {
		s.SkipsInRow++
		return
	}
	bare := *l
	bare.raw = nil
	if s.LastOutcome == None {
		s.First = bare
	}
	s.Last, s.LastOutcome, s.SkipsInRow = bare, l.Outcome, 0
	switch l.Outcome {
	case OK:
		s.Usual.Add(l.Lasted)
	case Failed, Signaled, TimedOut, Crashed, Lost:
		s.LastFailed = l.Ended
	}
}

// Runs is how many runs there were.
func (t *Totals) Runs() (n uint64) {
	for o := OK; o < outcomes; o++ {
		if o != Skipped {
			n += t.Count[o]
		}
	}
	return n
}

// Plus is t and u together.
func (t Totals) Plus(u Totals) Totals {
	for o, n := range u.Count {
		t.Count[o] += n
	}
	if u.LastOK.After(t.LastOK) {
		t.LastOK = u.LastOK
	}
	return t
}
