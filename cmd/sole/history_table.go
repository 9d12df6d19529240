package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

// print prints the rows as a table, and a sentence on the name if there is only one.
func (o *historyFlags) print(all []chapter, rows []row, one bool) int {
	t := &display.Table{Columns: []display.Column{
		{Head: "STARTED"}, {Head: "NAME", Least: 12}, {Head: "RUN", Right: true, Keep: 2}, {Head: "OUTCOME"}, {Head: "LASTED", Right: true, Keep: 6},
		{Head: "VS USUAL", Right: true, Keep: 4}, {Head: "WHAT", Keep: 5, Least: 20},
	}}
	for _, l := range o.lines(all, rows) {
		t.Add(l.cells...)
	}
	if one {
		t.Hide("NAME")
	}
	code := printTable(t)
	if one {
		code = max(code, printText(o.sentence(&all[0])))
	}
	for _, c := range all {
		if c.torn > 0 {
			say("%s: %s of its history cannot be read", c.name, countOf(c.torn, "line"))
		}
	}
	return code
}

// tableLine is what is printed of a run or skip that began then.
type tableLine struct {
	began time.Time
	cells []display.Cell
}

// lines are the lines of the table, in the order of their starts: a skip comes behind the run that was in
// its way.
func (o *historyFlags) lines(all []chapter, rows []row) []tableLine {
	today := true
	for _, r := range rows {
		today = today && sameDay(r.line.Started, o.now)
	}
	var holders []sole.Status
	for _, c := range all {
		for _, h := range c.now.Holders() {
			today = today && (h.StartedAt.IsZero() || sameDay(h.StartedAt, o.now))
			holders = append(holders, h)
		}
	}
	var lines []tableLine
	for _, r := range rows {
		lines = append(lines, tableLine{r.line.Started, o.cells(&r, today)})
	}
	for _, h := range holders {
		began := h.StartedAt
		if began.IsZero() {
			began = o.now
		}
		lines = append(lines, tableLine{began, o.running(h, today)})
	}
	slices.SortStableFunc(lines, func(a, b tableLine) int { return a.began.Compare(b.began) })
	return lines
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func sameDay(a, b time.Time) bool {
	y, m, d := a.Local().Date()
	y2, m2, d2 := b.Local().Date()
	return y == y2 && m == m2 && d == d2
}

// started is when something started: the date is left out if all is of today.
func started(t time.Time, today bool) display.Cell {
	form := "2006-01-02 15:04:05"
	if today {
		form = "15:04:05"
	}
	return display.Text(t.Local().Format(form))
}

func (o *historyFlags) cells(r *row, today bool) []display.Cell {
	l := &r.line
	e, _ := l.Entry()
	run, lasted := "-", "-"
	if l.Run > 0 {
		run = strconv.FormatUint(l.Run, 10)
	}
	switch {
	case l.Outcome == history.Skipped && l.Lasted >= 100*time.Millisecond:
		lasted = usual.Words(l.Lasted)
	case l.Outcome == history.Skipped:
	case l.Closing:
		lasted = ">" + usual.Words(l.Lasted)
	default:
		lasted = usual.Words(l.Lasted)
	}
	what := words(e.Command, 0)
	if l.Outcome == history.Skipped {
		what = inTheWay(&e, r.inRow, l.Started)
	} else if l.Closing {
		what = fmt.Sprintf("ended before %s; %s", clockTime(e.EndedBefore, l.Started), what)
	}
	return []display.Cell{
		started(l.Started, today), display.Text(r.name), display.Text(run), {Text: printable(outcomeWords(&e)), Role: outcomeRole(l.Outcome)},
		display.Text(lasted), against(l, r.usual), display.Text(what),
	}
}

// inTheWay says who was in the way of a skip that was asked for then.
func inTheWay(e *history.Entry, inRow int, asked time.Time) string {
	var b strings.Builder
	if inRow > 1 {
		fmt.Fprintf(&b, "%s in a row: ", ordinal(int64(inRow)))
	}
	switch {
	case e.HolderRun > 0:
		fmt.Fprintf(&b, "run %d", e.HolderRun)
	case e.HolderPID == 0:
		b.WriteString("somebody")
	}
	if e.HolderPID > 0 {
		if e.HolderRun > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "pid %d,", e.HolderPID)
	}
	b.WriteString(" had it")
	if e.HolderStarted.Unix() > 0 {
		fmt.Fprintf(&b, " since %s (%s)", clockTime(e.HolderStarted, asked), usual.Words(asked.Sub(e.HolderStarted)))
	}
	return b.String()
}

// outcomeWords is the outcome with its code or signal.
func outcomeWords(e *history.Entry) string {
	switch {
	case e.Outcome == history.Failed && e.ExitCode > 0:
		return "failed " + strconv.Itoa(e.ExitCode)
	case e.Outcome == history.Signaled && e.SignalName != "":
		return e.SignalName
	}
	return e.Outcome.String()
}

func outcomeRole(o history.Outcome) display.Role {
	switch o {
	case history.OK:
		return display.Good
	case history.Skipped, history.Replaced:
		return display.Warn
	case history.Ended:
		return display.Plain
	}
	return display.Bad
}

// against compares a run with the usual.
func against(l *history.Line, p50 time.Duration) display.Cell {
	if p50 == 0 || l.Outcome == history.Skipped || l.Closing {
		return display.Text("-")
	}
	return times(l.Lasted, p50)
}

// times is how many times the usual something lasted.
func times(d, p50 time.Duration) display.Cell {
	ratio := float64(d) / float64(p50)
	c := display.Text(strconv.FormatFloat(ratio, 'f', 1, 64) + "x")
	if ratio >= 100 {
		c.Text = strconv.FormatFloat(ratio, 'f', 0, 64) + "x"
	}
	if ratio > 2 {
		c.Role = display.Warn
	}
	return c
}

// running is the row of a run that goes on.
func (o *historyFlags) running(h sole.Status, today bool) []display.Cell {
	run, what := "-", words(h.Command, 0)
	if h.Run > 0 {
		run = strconv.FormatUint(h.Run, 10)
	}
	state := "running"
	if h.Orphaned {
		state = "orphaned"
	}
	cells := []display.Cell{
		display.Text("-"), display.Text(h.Name), display.Text(run), {Text: state, Role: display.Strong}, display.Text("-"), display.Text("-"), display.Text(what),
	}
	if h.StartedAt.IsZero() {
		return cells
	}
	cells[0], cells[4] = started(h.StartedAt, today), display.Text(usual.Words(elapsed(h)))
	if h.UsualSeconds > 0 {
		cells[5] = times(elapsed(h), time.Duration(h.UsualSeconds*float64(time.Second)))
	}
	return cells
}

// sentence says what is usual, and how the name is now.
func (o *historyFlags) sentence(c *chapter) string {
	var b strings.Builder
	if p50 := c.usual.P50(); p50 > 0 {
		fmt.Fprintf(&b, "usually %s, 95 in 100 runs within %s", usual.Words(p50), usual.Words(c.usual.P95()))
	}
	if n := len(c.rows); n > 0 && c.rows[n-1].inRow > 0 {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s in a row", countOf(c.rows[n-1].inRow, "skip"))
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n" + c.name + ": " + b.String() + "\n"
}
