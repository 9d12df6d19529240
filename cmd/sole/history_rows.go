package main

import (
	"slices"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

// row is a record that is to be shown.
type row struct {
	name  string
	line  history.Line
	inRow int // of a skip: the how manieth one since a run
	usual time.Duration
}

// chapter is what is to be shown of one name.
type chapter struct {
	name  string
	rows  []row // the oldest first
	usual usual.Sample
	torn  int
	now   sole.Status
}

// How far to look back, beyond the records that are shown, for what is usual and for records of the
// same run.
const (
	usualWithin = 20_000
	alsoRead    = 64
	clockSlack  = time.Hour // records are in the order of their ends, but for steps of the clock
)

// read reads the end of a history.
func (o *historyFlags) read(p *past, n string) (chapter, error) {
	c := chapter{name: n}
	var lines []history.Line
	oks := 0
	found, err := p.readBack(n, func(l *history.Line) bool {
		lines = append(lines, *l)
		if l.Outcome == history.OK {
			oks++
		}
		usualKnown := oks >= usual.Size || len(lines) >= usualWithin
		enough := o.most > 0 && len(lines) >= o.most+alsoRead
		enough = enough || !o.since.IsZero() && !l.Closing && l.Ended.Before(o.since.Add(-clockSlack))
		return !usualKnown || !enough
	})
	if err != nil {
		return c, err
	}
	c.torn = found.Torn
	inRow := 0
	for _, l := range history.Sort(lines) {
		if l.Outcome == history.Skipped {
			inRow++
		} else {
			inRow = 0
		}
		if l.Outcome == history.OK {
			c.usual.Add(l.Lasted)
		}
		if !l.Ended.Before(o.since) {
			c.rows = append(c.rows, row{name: n, line: l, inRow: inRow})
		}
	}
	o.keepReadable(&c)
	for i := range c.rows {
		c.rows[i].usual = c.usual.P50()
	}
	c.now, err = sole.Inspect(n, sole.Dir(o.dir))
	return c, err
}

// keepReadable leaves the last rows that were asked for, but none of what only begins like a record.
func (o *historyFlags) keepReadable(c *chapter) {
	kept := len(c.rows)
	for i := len(c.rows) - 1; i >= 0 && (o.most == 0 || len(c.rows)-kept < o.most); i-- {
		if _, ok := c.rows[i].line.Entry(); !ok {
			c.torn++
			continue
		}
		kept--
		c.rows[kept] = c.rows[i]
	}
	c.rows = c.rows[kept:]
}

// merge is the rows of all, the last ones that were asked for.
func (o *historyFlags) merge(all []chapter) []row {
	var rows []row
	for _, c := range all {
		rows = append(rows, c.rows...)
	}
	if len(all) > 1 {
		slices.SortStableFunc(rows, func(a, b row) int { return a.line.Ended.Compare(b.line.Ended) })
	}
	if o.most > 0 && len(rows) > o.most {
		rows = rows[len(rows)-o.most:]
	}
	return rows
}
