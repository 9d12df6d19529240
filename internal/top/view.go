package top

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/sole-run/sole/internal/display"
)

// View is the screen.
func (m *Model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	if !m.quit {
		v.Content = m.screen()
	}
	return v
}

// screen is what is seen: a line for each of the terminal's, or fewer.
func (m *Model) screen() string {
	var lines []string
	lines = append(lines, m.head()...)
	switch m.page {
	case listPage:
		lines = append(lines, m.list()...)
	default:
		lines = append(lines, m.pageView()...)
	}
	bottom := m.bottom()
	for len(lines) < m.height-len(bottom) {
		lines = append(lines, "")
	}
	lines = append(lines[:max(0, min(len(lines), m.height-len(bottom)))], bottom...)
	text := strings.Join(lines[:min(len(lines), m.height)], "\n")
	if m.o.ASCII {
		text = strings.ReplaceAll(text, "…", "~")
	}
	return text
}

// low reports whether there is little room from top to bottom.
func (m *Model) low() bool { return m.height < 16 }

// headHeight is how many lines the head has.
func (m *Model) headHeight() int {
	switch {
	case m.height < 6:
		return 0
	case m.low():
		return 1
	}
	return 3
}

// head is what stands above a page.
func (m *Model) head() []string {
	if m.headHeight() == 0 {
		return nil
	}
	clock := ""
	if m.looked {
		clock = m.snap.At.Local().Format("15:04:05")
	}
	left := []display.Cell{{Text: "sole top", Role: display.Strong}}
	if m.low() {
		left = append(left, m.totals()...)
	} else {
		left = append(left, display.Cell{Text: m.text(m.o.Dir), Role: display.Faint})
	}
	first := m.spread(left, clock)
	if m.low() {
		return []string{first}
	}
	return []string{first, m.spread(m.totals(), m.sorting()), ""}
}

// totals say what there is.
func (m *Model) totals() []display.Cell {
	if !m.looked {
		return []display.Cell{{Text: "looking …"}}
	}
	held, waiting, slow, orphaned := 0, 0, 0, 0
	for _, n := range m.snap.Names {
		waiting += n.Waiters
		for _, h := range n.Holders() {
			held++
			r := row{h, n.Recent}
			if r.pace() > inTime {
				slow++
			}
			if h.Orphaned {
				orphaned++
			}
		}
	}
	all := []display.Cell{{Text: fmt.Sprintf("%d held", held)}}
	add := func(n int, what string, r display.Role) {
		if n > 0 {
			all = append(all, display.Cell{Text: fmt.Sprintf("%d %s", n, what), Role: r})
		}
	}
	add(slow, "past p95", display.Warn)
	add(orphaned, "orphaned", display.Warn)
	add(waiting, "waiting", display.Plain)
	add(m.snap.Free, "free", display.Faint)
	if m.snap.Err != nil {
		all = append(all, display.Cell{Text: m.text(m.src.Explain(m.snap.Err)), Role: display.Bad})
	}
	return all
}

// sorting says how the list is sorted and what is left out.
func (m *Model) sorting() string {
	if m.page != listPage {
		return ""
	}
	s := "by " + m.order.String()
	if m.filter != "" && !m.typing {
		s = "only " + m.text(m.filter) + ", " + s
	}
	return s
}

// spread is a line with text at both its ends. What does not fit is left out from the right.
func (m *Model) spread(left []display.Cell, right string) string {
	room := m.width
	if right = display.Clip(right, room/2); right != "" {
		room -= display.Width(right) + 2
	}
	line, taken := m.join(left, "  ", room)
	if right == "" {
		return line
	}
	return line + strings.Repeat(" ", max(m.width-taken-display.Width(right), 0)) + m.o.Colours.Paint(display.Faint, right)
}

// join puts cells side by side, in at most room cells; taken is how many they take.
func (m *Model) join(cells []display.Cell, between string, room int) (line string, taken int) {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			if taken += len(between); taken >= room {
				taken -= len(between)
				break
			}
			b.WriteString(between)
		}
		if room-taken <= 0 {
			break
		}
		text := display.Clip(c.Text, room-taken)
		b.WriteString(m.o.Colours.Paint(c.Role, text))
		taken += display.Width(text)
	}
	return b.String(), taken
}

// text makes text fit for the terminal.
func (m *Model) text(s string) string {
	s = display.Printable(s)
	if m.o.ASCII {
		s = display.ASCII(s)
	}
	return s
}

// bottom is what stands below a page: a question, a message, or what the keys do.
func (m *Model) bottom() []string {
	if m.height < 3 {
		return nil
	}
	if d := m.dialog; d != nil {
		return m.dialogView(d)
	}
	if m.typing {
		line, _ := m.join([]display.Cell{{Text: "filter:", Role: display.Strong}, {Text: m.filter + "_"}, {Text: "enter keeps it, esc drops it", Role: display.Faint}}, " ", m.width)
		return []string{line}
	}
	keys, _ := m.join(m.footer(), "  ", m.width)
	if m.note.Text != "" {
		note, _ := m.join([]display.Cell{{Text: m.text(m.note.Text), Role: m.note.Role}}, "", m.width)
		if m.low() {
			return []string{note}
		}
		return []string{note, keys}
	}
	return []string{keys}
}

// footer is what the keys do here, the most needed first.
func (m *Model) footer() []display.Cell {
	words := []string{"q quit", "? help", "enter details", "l log", "s stop", "x signal", "/ filter", "o sort", "a free", "r reload"}
	switch m.page {
	case detailsPage:
		words = []string{"q back", "? help", "l log", "s stop", "x signal", "r reload"}
	case logPage:
		words = []string{"q back", "? help", "enter details", "s stop", "x signal"}
	case helpPage:
		words = []string{"q back"}
	}
	var cells []display.Cell
	for _, w := range words {
		cells = append(cells, display.Cell{Text: w, Role: display.Faint})
	}
	return cells
}

// dialogView is the question, and the menu if there is one.
func (m *Model) dialogView(d *dialog) []string {
	const answers = " [y/N] "
	lines := strings.Split(display.Fold(m.text(d.title), max(m.width-len(answers), 10), 0), "\n")
	role := display.Strong
	if d.choice == nil {
		lines[len(lines)-1] += answers
		role = display.Warn
	}
	if most := max(m.height-1, 1); len(lines) > most && d.choice == nil {
		lines = lines[len(lines)-most:] // the question is at the end
	}
	for i, line := range lines {
		lines[i] = m.o.Colours.Paint(role, display.Clip(line, m.width))
	}
	if d.choice == nil {
		return lines
	}
	room := max(m.height-len(lines)-1, 1)
	first := max(0, min(d.at-room/2, len(d.choice)-room))
	for i, c := range d.choice[first:min(first+room, len(d.choice))] {
		at := first + i
		pointer := "  "
		if at == d.at {
			pointer = marksOf(m.o.ASCII).pointer + " "
		}
		line := display.Clip(fmt.Sprintf("%s%2d %-5s %s", pointer, int(c.sig), c.name, c.does), m.width)
		if at == d.at {
			line = m.mark(line)
		}
		lines = append(lines, line)
	}
	return append(lines, m.o.Colours.Paint(display.Faint, display.Clip("enter sends it, esc does not", m.width)))
}

// mark shows that a line is selected, also where there are no colours.
func (m *Model) mark(line string) string {
	return "\x1b[7m" + display.Pad(line, m.width, false) + "\x1b[0m"
}
