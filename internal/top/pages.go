package top

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
)

// pageHeight is how many lines of a page are seen.
func (m *Model) pageHeight() int { return max(m.height-m.headHeight()-len(m.bottom()), 1) }

// pageView are the lines of a page that are seen.
func (m *Model) pageView() []string {
	lines := m.pageLines()
	m.scroll = max(0, min(m.scroll, len(lines)-m.pageHeight()))
	return lines[m.scroll:min(m.scroll+m.pageHeight(), len(lines))]
}

func (m *Model) pageLines() []string {
	if m.failed != "" {
		return []string{m.o.Colours.Paint(display.Bad, display.Clip(m.text(m.failed), m.width))}
	}
	switch m.page {
	case detailsPage:
		return m.detailLines()
	case logPage:
		return m.logLines()
	}
	return m.helpLines()
}

// facts collects lines of a key and a value, which is folded.
type facts struct {
	m     *Model
	lines []string
}

func (f *facts) add(key, value string, r display.Role) {
	const indent = 12
	wide := max(f.m.width-indent, 8)
	first := true
	for line := range lines(display.Fold(f.m.text(value), wide, 0)) {
		head := display.Pad(key, indent, false)
		if !first {
			head = display.Pad("", indent, false)
		}
		first = false
		f.lines = append(f.lines, f.m.o.Colours.Paint(display.Faint, head)+f.m.o.Colours.Paint(r, display.Clip(line, wide)))
	}
}

// detailLines are what is known of a name.
func (m *Model) detailLines() []string {
	f := &facts{m: m}
	st := m.detail
	f.lines = append(f.lines, m.title(st.Name), "")
	for _, h := range st.Holders() {
		r := row{h, m.of.recent}
		m.holderFacts(f, &r)
		f.lines = append(f.lines, "")
	}
	if st.State != sole.Held {
		f.add("state", "free", display.Faint)
	}
	f.add("usual", m.usualText(), display.Plain)
	for i, w := range st.Waiting {
		f.add(fmt.Sprintf("waiting %d", i+1), waiterText(w), display.Plain)
	}
	f.add("method", st.Method, display.Plain)
	f.add("file", st.Path, display.Plain)
	if last := m.of.recent; len(last.Last) > 0 {
		k := marksOf(m.o.ASCII)
		f.add("last runs", k.outcomes(last.Last, len(last.Last)), display.Plain)
		f.add("last end", fmt.Sprintf("%s, %s after %s", display.Clock(last.Ended, m.snap.At), last.Outcome(), display.Lasting(last.Lasted)), display.Plain)
	}
	return f.lines
}

func (m *Model) holderFacts(f *facts, r *row) {
	state := m.state(r)
	f.add("state", stateText(r), state.Role)
	if r.pace() != unknownPace {
		wide := max(min(m.width-12, 40), 4)
		f.add("", marksOf(m.o.ASCII).bar(wide, r.elapsed(), r.recent.P50, r.recent.P95), r.pace().role())
	}
	if !r.StartedAt.IsZero() {
		f.add("since", fmt.Sprintf("%s (%s)", display.Clock(r.StartedAt, m.snap.At), display.Lasting(r.elapsed())), display.Plain)
	}
	switch {
	case r.ChildPID != 0 && r.PID != 0:
		f.add("pid", fmt.Sprintf("%d, supervised by %d", r.ChildPID, r.PID), display.Plain)
	case r.whom() != 0:
		f.add("pid", strconv.Itoa(r.whom()), display.Plain)
	}
	for _, pid := range r.Leftover {
		f.add("left", strconv.Itoa(pid), display.Warn)
	}
	f.add("user", r.User, display.Plain)
	f.add("command", display.Words(r.Command, 0), display.Plain)
	f.add("directory", r.Cwd, display.Plain)
	f.add("run", fmt.Sprintf("%d, with %d skips", r.Run, r.Skips), display.Plain)
}

func stateText(r *row) string {
	s := "held"
	switch {
	case r.Slot > 0:
		s = fmt.Sprintf("held, slot %d", r.Slot)
	case r.Mode == sole.SharedBy:
		s = "held, shared"
	}
	switch {
	case r.Orphaned:
		s += "; orphaned: its supervisor was killed"
	case r.Elsewhere:
		s += "; in another pid namespace or on another host"
	case r.pace() == long:
		s += "; longer than 95 in 100 runs"
	case r.pace() == veryLong:
		s += "; more than twice as long as 95 in 100 runs"
	}
	return s
}

func (m *Model) usualText() string {
	r := m.of.recent
	if r.P50 == 0 {
		return "not known: too few runs that succeeded"
	}
	return fmt.Sprintf("%s, 95 in 100 runs at most %s", display.About(r.P50), display.About(r.P95))
}

func waiterText(w sole.Waiter) string {
	s := "a process that cannot be seen from here"
	if w.PID != 0 {
		s = fmt.Sprintf("pid %d (%s)", w.PID, display.Words(w.Command, 60))
	}
	s += " for " + display.Lasting(time.Duration(w.Seconds*float64(time.Second)))
	if w.Stopped {
		s += ", stopped"
	}
	return s
}

func (m *Model) title(name string) string {
	return m.o.Colours.Paint(display.Strong, display.Clip(name, m.width))
}

// logLines are the records, the newest first.
func (m *Model) logLines() []string {
	out := []string{m.title(m.of.Name + ": log"), ""}
	if m.log == nil {
		return append(out, display.Clip("  nothing is written down of it", m.width))
	}
	t := &display.Table{Columns: []display.Column{
		{Head: "ENDED", Keep: 9}, {Head: "OUTCOME"}, {Head: "RAN", Keep: 8, Right: true, Wide: 6}, {Head: "RUN", Keep: 5, Right: true},
		{Head: "EXIT", Keep: 7}, {Head: "USER", Keep: 3, Least: 6}, {Head: "PID", Keep: 2, Right: true}, {Head: "COMMAND", Keep: 4, Least: 12},
	}}
	for i := len(m.log) - 1; i >= 0; i-- {
		e := &m.log[i]
		run, exit, command := strconv.FormatUint(e.Run, 10), "-", display.Words(e.Command, 0)
		if e.ExitCode != history.NoCode {
			exit = strconv.Itoa(e.ExitCode)
		}
		if e.SignalName != "" {
			exit = e.SignalName
		}
		if e.Outcome == history.Skipped {
			run = "-"
			command = heldBy(e)
		}
		t.Add(display.Text(display.Clock(e.Ended, m.snap.At)), display.Cell{Text: e.Outcome.String(), Role: outcomeRole(e.Outcome)},
			display.Text(display.Lasting(e.Lasted)), display.Text(run), display.Text(m.text(exit)), display.Text(m.text(e.User)),
			display.Text(strconv.Itoa(e.PID)), display.Text(m.text(command)))
	}
	return append(out, t.Lines(m.width, m.o.Colours)...)
}

// heldBy is who was in the way of a start.
func heldBy(e *history.Entry) string {
	switch {
	case e.HolderRun > 0 && e.HolderPID > 0:
		return fmt.Sprintf("held by run %d, pid %d", e.HolderRun, e.HolderPID)
	case e.HolderPID > 0:
		return fmt.Sprintf("held by pid %d", e.HolderPID)
	}
	return "held"
}
