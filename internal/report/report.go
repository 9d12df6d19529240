// Package report draws a page about what happened to names: their runs, skips, failures and how
// long they took. It is one HTML document that needs no script and no network.
//
// It reads nothing: no file, no clock, no environment. What it does not know it is told in a [Page].
package report

import (
	"time"

	"github.com/sole-run/sole/internal/history"
)

// Page is what there is to say.
type Page struct {
	Now   time.Time // its location is the one of all times that are shown
	Host  string
	Dir   string    // where the names live
	Only  string    // the one name that was asked for, "" for all
	Since time.Time // the records that ended before are left out; the zero time for none
	Names []*Name   // in their order
	// Missing are sentences about what could not be read.
	Missing []string
}

// Name is what is known of one name.
type Name struct {
	Name string
	Now  []Holder // who holds it now
	// Waiters is how many starts wait for it.
	Waiters int

	// Stats are of the records that are shown.
	Stats history.Stats
	// All are of all there ever were, of files too that are gone.
	All  history.Stats
	Torn int // lines in its files that are no records

	drawn           []mark
	last, failures  []history.Line
	odd             int // records whose time cannot be
	firstAt, lastAt time.Time
}

// Holder is one who holds a name now.
type Holder struct {
	Run      uint64
	PID      int
	Started  time.Time // the zero time if it is not known
	Lasts    time.Duration
	Command  []string
	User     string
	Orphaned bool
}

// mark is a record as far as it is drawn.
type mark struct {
	from, to time.Time
	lasted   time.Duration
	run      uint64
	outcome  history.Outcome
	unseen   bool // nobody saw the end, so it may have lasted longer
}

// How many records are shown in full.
const (
	lastShown     = 30
	failuresShown = 20
)

// Add takes the next record of the name's history. Without detail there will be no section about the
// name, only its line in the overview.
func (n *Name) Add(p *Page, l *history.Line, detail bool) {
	n.All.Add(l)
	if l.Ended.Before(p.Since) && l.Started.Before(p.Since) {
		return
	}
	n.Stats.Add(l)
	if !detail {
		return
	}
	n.last = keep(n.last, l, lastShown)
	if kindOf(l.Outcome) == bad {
		n.failures = keep(n.failures, l, failuresShown)
	}
	m := mark{from: l.Started, to: l.Ended, lasted: l.Lasted, run: l.Run, outcome: l.Outcome, unseen: l.Closing}
	if m.to.Before(m.from) { // the clock was set back meanwhile
		m.to = m.from.Add(m.lasted)
	}
	if !plausible(m.from) || m.to.After(p.Now.Add(day)) {
		n.odd++
		return
	}
	n.drawn = append(n.drawn, m)
	if n.firstAt.IsZero() || m.from.Before(n.firstAt) {
		n.firstAt = m.from
	}
	if m.to.After(n.lastAt) {
		n.lastAt = m.to
	}
}

// clockSet is before all runs that there can have been, 2020-01-01: a clock that shows less was not set.
const clockSet = 1577836800

// plausible reports whether a clock that was set can have shown that.
func plausible(t time.Time) bool { return t.Unix() >= clockSet }

// keep appends a line, and drops the first one of more than most.
func keep(lines []history.Line, l *history.Line, most int) []history.Line {
	if len(lines) == most {
		copy(lines, lines[1:])
		lines = lines[:most-1]
	}
	return append(lines, l.Keep())
}

// Done says what the reading of the history found beside the records.
func (n *Name) Done(p *Page, f history.Found) {
	n.Torn = f.Torn
	n.All.Totals = n.All.Plus(f.Before)
	if p.Since.IsZero() {
		n.Stats.Totals = n.Stats.Plus(f.Before)
	}
}

// kind is what an outcome means for whoever looks at the page.
type kind uint8

const (
	good  kind = iota // it succeeded
	bad               // it failed
	other             // neither: it was ended for another, or how it ended nobody knows
	skip
	kinds
)

func kindOf(o history.Outcome) kind {
	switch o {
	case history.OK:
		return good
	case history.Failed, history.Signaled, history.TimedOut, history.Lost, history.Crashed:
		return bad
	case history.Skipped:
		return skip
	}
	return other
}

// of is how many of a kind were counted.
func of(t *history.Totals, k kind) (n uint64) {
	for _, o := range history.Outcomes() {
		if kindOf(o) == k {
			n += t.Count[o]
		}
	}
	return n
}

// first is the earliest moment that is drawn.
func (p *Page) first() (t time.Time) {
	for _, n := range p.Names {
		if !n.firstAt.IsZero() && (t.IsZero() || n.firstAt.Before(t)) {
			t = n.firstAt
		}
	}
	return t
}
