package top

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
)

// barWidth is how wide the bar is.
const barWidth = 10

// stripLength is how many outcomes the list shows.
const stripLength = 8

// listHeight is how many rows fit.
func (m *Model) listHeight() int {
	return max(m.height-m.headHeight()-1-len(m.bottom()), 1)
}

// list are the rows that are seen, below their heading.
func (m *Model) list() []string {
	if len(m.rows) == 0 {
		return m.emptyList()
	}
	room := m.listHeight()
	// As little as needed, so that the list does not jump.
	m.first = max(min(m.first, m.selected, len(m.rows)-room), m.selected-room+1, 0)
	seen := m.rows[m.first:min(m.first+room, len(m.rows))]
	t := m.table()
	for i := range seen {
		m.addTo(t, &seen[i], m.first+i == m.selected)
	}
	lines := t.Lines(m.width, m.o.Colours)
	at := 1 + m.selected - m.first
	lines[at] = m.mark(lines[at])
	return lines
}

func (m *Model) emptyList() []string {
	switch {
	case !m.looked:
		return nil
	case m.filter != "":
		return []string{"", display.Clip("  no name, user or command has "+m.text(strconv.Quote(m.filter))+" in it", m.width)}
	case !m.free && m.snap.Free > 0:
		return []string{"", display.Clip("  no name is held; a shows the free ones", m.width)}
	}
	return []string{"", display.Clip("  no name is held, and none ran before", m.width),
		display.Clip("  sole run NAME -- COMMAND makes the first one", m.width)}
}

// table are the columns. Most do not depend on what is in them, so that they stay where they are.
func (m *Model) table() *display.Table {
	widest, user := 0, 0
	for i := range m.rows {
		widest, user = max(widest, len(m.rows[i].Name)+2), max(user, len(m.rows[i].User))
	}
	t := &display.Table{Columns: []display.Column{
		{Head: "  NAME", Least: 16, Wide: min(widest, 40)},
		{Head: "STATE", Keep: 9, Wide: barWidth},
		{Head: "FOR", Keep: 10, Right: true, Wide: 6},
		{Head: "USUAL", Keep: 8, Right: true},
		{Head: "SKIPS", Keep: 5, Right: true},
		{Head: "WAIT", Keep: 6, Right: true},
		{Head: "LAST", Keep: 7, Wide: stripLength},
		{Head: "PID", Keep: 3, Right: true, Wide: 5},
		{Head: "USER", Keep: 2, Least: 6, Wide: min(user, 12)},
		{Head: "COMMAND", Keep: 4, Least: 12},
	}}
	if m.width < 100 {
		t.Gap = 1
	}
	return t
}

// label is the name, and which of several holders it is.
func label(r *row) string {
	switch {
	case r.Slot > 0:
		return fmt.Sprintf("%s [%d]", r.Name, r.Slot)
	case r.Mode == sole.SharedBy:
		return r.Name + " [shared]"
	}
	return r.Name
}

// addTo adds a row. A selected one has no colours but that of the selection.
func (m *Model) addTo(t *display.Table, r *row, selected bool) {
	k := marksOf(m.o.ASCII)
	pointer := "  "
	if selected {
		pointer = k.pointer + " "
	}
	state, usual, lasts, command := m.state(r), "-", "-", m.text(shortCommand(r.Command))
	if r.recent.P50 > 0 {
		usual = display.About(r.recent.P50)
	}
	strip := display.Cell{Text: k.outcomes(r.recent.Last, stripLength), Each: k.outcomeRole}
	cells := []display.Cell{{Text: pointer + label(r)}, state, {}, {Text: usual, Role: display.Faint}, {}, {}, strip, {}, {}, {}}
	if r.held() {
		if !r.StartedAt.IsZero() {
			lasts = display.Lasting(r.elapsed())
		}
		cells[2] = display.Cell{Text: lasts, Role: r.pace().textRole()}
		cells[4], cells[5] = count(int(r.Skips)), count(r.Waiters)
		if pid := r.whom(); pid != 0 {
			cells[7] = display.Text(strconv.Itoa(pid))
		}
		cells[8], cells[9] = display.Text(m.text(r.User)), display.Text(command)
	} else {
		cells[0].Role = display.Faint
		cells[5] = count(r.Waiters)
		if !r.recent.Ended.IsZero() {
			cells[2] = display.Cell{Text: display.Lasting(r.recent.Lasted), Role: display.Faint}
			cells[9] = display.Cell{Text: "ended " + display.About(max(m.snap.At.Sub(r.recent.Ended), time.Second).Truncate(time.Second)) + " ago", Role: display.Faint}
		}
	}
	if selected {
		for i := range cells {
			cells[i].Role, cells[i].Each = display.Plain, nil
		}
	}
	t.Add(cells...)
}

// shortCommand is a command without the directory of its program.
func shortCommand(argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	short := append([]string{argv[0][strings.LastIndexByte(argv[0], '/')+1:]}, argv[1:]...)
	if short[0] == "" {
		short[0] = argv[0]
	}
	return display.Words(short, 0)
}

// count is a number that stands out if it is not 0.
func count(n int) display.Cell {
	if n == 0 {
		return display.Cell{Text: "0", Role: display.Faint}
	}
	return display.Text(strconv.Itoa(n))
}

// textRole is that of the time: it has a colour only when there is something to see.
func (p pace) textRole() display.Role {
	if p > inTime {
		return p.role()
	}
	return display.Plain
}

// state is the bar, or a word where there is nothing to compare with.
func (m *Model) state(r *row) display.Cell {
	switch {
	case !r.held():
		o := r.recent.Outcome()
		if o == history.None {
			return display.Cell{Text: "free", Role: display.Faint}
		}
		return display.Cell{Text: o.String(), Role: outcomeRole(o)}
	case r.Orphaned:
		return display.Cell{Text: "orphaned", Role: display.Warn}
	case r.Elsewhere:
		return display.Cell{Text: "elsewhere", Role: display.Warn}
	case r.pace() == unknownPace:
		return display.Cell{Text: "running", Role: display.Good}
	}
	return display.Cell{Text: marksOf(m.o.ASCII).bar(barWidth, r.elapsed(), r.recent.P50, r.recent.P95), Role: r.pace().role()}
}
