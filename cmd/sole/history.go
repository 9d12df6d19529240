package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole"
)

var historyCommand = &command{
	name:    "history",
	args:    "[NAME]",
	summary: "say what ran, what was skipped, and how it went",
	about: `Lists the last runs and skips of NAME, or of all names, the oldest first: how each
ended, how long it took against the usual, and of a skip who was in its way. The
run that goes on now is listed too.

The usual is the median of the last 32 runs that succeeded. TIME is a duration
before now (2h, 7d), a clock time (03:00), a date (2026-11-24), both with a blank
between them, or as RFC 3339 has it.`,
	takesNames: true,
	freeNames:  true,
	setup:      func(f *flags) func([]string) int { return newHistoryFlags(f).run },
}

// historyFlags is what `sole history` was asked for.
type historyFlags struct {
	since  time.Time
	most   int // 0: all
	asJSON bool
	stats  bool
	dir    string

	now time.Time
}

const defaultRows = 20

func newHistoryFlags(f *flags) *historyFlags {
	o := &historyFlags{most: defaultRows, now: time.Now()}
	f.add(&flag{long: "since", value: "TIME", help: "leave out what ended before TIME", set: func(v string) (err error) {
		o.since, err = parseTime(v, o.now)
		return err
	}})
	f.add(&flag{long: "number", short: 'n', value: "N", help: "at most the last N (20), 0 for all", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return errors.New("it is a number from 0 on")
		}
		o.most = int(n)
		return nil
	}})
	f.bool(&o.stats, "stats", 0, "count instead: runs, outcomes, skips, and how long runs took")
	f.bool(&o.asJSON, "json", 0, jsonHelp)
	f.string(&o.dir, "dir", 0, "DIR", dirHelp)
	return o
}

func (o *historyFlags) run(args []string) int {
	p, names, err := o.names(args)
	if err != nil {
		return fail(err)
	}
	if o.stats {
		return o.printStats(p, names)
	}
	code := exitOK
	all := make([]chapter, 0, len(names))
	for _, n := range names {
		err := o.settle(n)
		var c chapter
		if err == nil {
			c, err = o.read(p, n)
		}
		if err != nil {
			code = max(code, fail(err))
			continue
		}
		all = append(all, c)
	}
	rows := o.merge(all)
	switch {
	case o.asJSON:
		return max(code, printRecords(rows))
	case len(rows) > 0 || slices.ContainsFunc(all, func(c chapter) bool { return c.now.State == sole.Held }):
		return max(code, o.print(all, rows, len(args) > 0))
	case code == exitOK:
		o.noHistory(args)
	}
	return code
}

// settle closes a run that left without a word, as whoever notices does, unless the history is switched
// off.
func (o *historyFlags) settle(n string) error {
	if keep, err := keepHistory(); err != nil || keep == nil {
		return err
	}
	return sole.Settle(n, sole.Dir(o.dir))
}

// names are those that there is a history of, or the one that was asked for.
func (o *historyFlags) names(args []string) (*past, []string, error) {
	only := ""
	if len(args) > 0 {
		n, err := oneName("history", args)
		if err == nil {
			_, err = sole.Path(n, sole.Dir(o.dir)) // "" is no name, and does not mean all
		}
		if err != nil {
			return nil, nil, err
		}
		only = n
	}
	p, err := openPast(o.dir)
	if err != nil || only != "" {
		return p, []string{only}, err
	}
	all, err := p.names()
	if err != nil {
		return nil, nil, err
	}
	list, err := sole.List(sole.Dir(o.dir))
	for _, st := range list { // those that ran for the first time
		all = append(all, st.Name)
	}
	slices.Sort(all)
	return p, slices.Compact(all), err
}

// parseTime reads a time in the past, as people say it.
func parseTime(v string, now time.Time) (time.Time, error) {
	if d, err := parseDuration(v); err == nil {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, v, time.Local); err == nil {
			return t, nil
		}
	}
	for _, form := range []string{"15:04:05", "15:04"} {
		t, err := time.ParseInLocation(form, v, time.Local)
		if err != nil {
			continue
		}
		y, m, d := now.Local().Date()
		at := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.Local)
		if at.After(now) {
			at = time.Date(y, m, d-1, t.Hour(), t.Minute(), t.Second(), 0, time.Local)
		}
		return at, nil
	}
	return time.Time{}, errors.New("a time is like 2h, 03:00, 2026-11-24, '2026-11-24 03:00' or 2026-11-24T03:00:00Z")
}

// printRecords prints the records as they are in the files, as one JSON array.
func printRecords(rows []row) int {
	var b strings.Builder
	b.WriteString("[")
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(r.line.Raw())
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	return printText(b.String())
}

// noHistory says that there is nothing to show.
func (o *historyFlags) noHistory(args []string) {
	what := "no name has a history here"
	if len(args) > 0 {
		what = args[0] + " has no history here"
	}
	if !o.since.IsZero() {
		what = fmt.Sprintf("%s since %s", what, clockTime(o.since, o.now))
	}
	say("%s", what)
}
