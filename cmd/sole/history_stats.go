package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

// nameStats is all that is known of a name, counted. Durations are those of the runs that succeeded.
type nameStats struct {
	Name        string            `json:"name"`
	Runs        uint64            `json:"runs"`
	Outcomes    map[string]uint64 `json:"outcomes"`
	Skips       uint64            `json:"skips"`
	SkipsInRow  uint64            `json:"skips_in_row"`
	Usual       float64           `json:"usual_seconds"`
	UsualP95    float64           `json:"usual_p95_seconds"`
	P50         float64           `json:"p50_seconds"`
	P95         float64           `json:"p95_seconds"`
	Max         float64           `json:"max_seconds"`
	LastOK      time.Time         `json:"last_ok,omitzero"`
	LastFailed  time.Time         `json:"last_failed,omitzero"`
	LastOutcome string            `json:"last_outcome"`
	First       time.Time         `json:"first,omitzero"` // of the records that are kept
	Torn        int               `json:"torn_lines"`
}

// stats counts all records of a name.
func (o *historyFlags) countAll(p *past, n string) (nameStats, error) {
	var s history.Stats
	var lasted []float64
	var first time.Time
	found, err := p.read(n, func(l *history.Line) {
		if l.Ended.Before(o.since) {
			return
		}
		if first.IsZero() {
			first = l.Started
		}
		s.Add(l)
		if l.Outcome == history.OK {
			lasted = append(lasted, l.Lasted.Seconds())
		}
	})
	if err != nil {
		return nameStats{}, err
	}
	total := s.Totals
	if o.since.IsZero() {
		total = total.Plus(found.Before)
	}
	st := nameStats{
		Name: n, Runs: total.Runs(), Skips: total.Count[history.Skipped], SkipsInRow: s.SkipsInRow, Outcomes: map[string]uint64{},
		Usual: s.Usual.P50().Seconds(), UsualP95: s.Usual.P95().Seconds(), LastOK: total.LastOK, LastFailed: s.LastFailed,
		LastOutcome: s.LastOutcome.String(), First: first, Torn: found.Torn,
	}
	for _, outcome := range history.Outcomes() {
		if outcome != history.Skipped {
			st.Outcomes[outcome.String()] = total.Count[outcome]
		}
	}
	if len(lasted) > 0 {
		slices.Sort(lasted)
		rank := func(percent int) float64 { return lasted[(percent*len(lasted)+99)/100-1] }
		st.P50, st.P95, st.Max = rank(50), rank(95), lasted[len(lasted)-1]
	}
	return st, nil
}

// printStats prints the counts of the names.
func (o *historyFlags) printStats(p *past, names []string) int {
	code := exitOK
	all := make([]nameStats, 0, len(names))
	for _, n := range names {
		err := o.settle(n)
		var st nameStats
		if err == nil {
			st, err = o.countAll(p, n)
		}
		if err != nil {
			code = max(code, fail(err))
			continue
		}
		all = append(all, st)
	}
	if o.asJSON {
		b, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return fail(err)
		}
		return max(code, printText(string(b)+"\n"))
	}
	t := &display.Table{Columns: []display.Column{
		{Head: "NAME", Least: 16}, {Head: "RUNS", Right: true}, {Head: "OK", Right: true}, {Head: "SKIPS", Right: true, Keep: 8},
		{Head: "IN ROW", Right: true, Keep: 4}, {Head: "P50", Right: true, Keep: 7}, {Head: "P95", Right: true, Keep: 6}, {Head: "MAX", Right: true, Keep: 3},
		{Head: "LAST OK", Keep: 5}, {Head: "NOT OK", Keep: 9},
	}}
	for _, st := range all {
		number := func(n uint64) display.Cell { return display.Text(strconv.FormatUint(n, 10)) }
		long := func(s float64) display.Cell {
			if st.Max == 0 && s == 0 {
				return display.Text("-")
			}
			return display.Text(usual.Words(time.Duration(s * float64(time.Second))))
		}
		last := "-"
		if !st.LastOK.IsZero() {
			last = clockTime(st.LastOK, o.now)
		}
		t.Add(display.Text(st.Name), number(st.Runs), number(st.Outcomes[history.OK.String()]), number(st.Skips), number(st.SkipsInRow),
			long(st.P50), long(st.P95), long(st.Max), display.Text(last), display.Cell{Text: st.notOK(), Role: display.Bad})
	}
	if len(all) == 0 {
		o.noHistory(nil)
		return code
	}
	return max(code, printTable(t))
}

// notOK counts what did not succeed.
func (st *nameStats) notOK() string {
	var parts []string
	for _, o := range history.Outcomes() {
		if n := st.Outcomes[o.String()]; o != history.OK && n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return orDash(strings.Join(parts, ", "))
}
