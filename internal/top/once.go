package top

import "github.com/sole-run/sole/internal/display"

// Once is the list as it is now, for a terminal of that width or, with 0, as wide as it is: no heading
// above it, no keys, and nothing selected. It is empty if there is no name.
func Once(s Snapshot, o Options, width int) string {
	m := New(nil, o)
	m.snap, m.looked, m.width = s, true, width
	if width == 0 {
		m.width = 1 << 20
	}
	m.arrange()
	if len(m.rows) == 0 {
		return ""
	}
	t := m.table()
	for i := range m.rows {
		m.addTo(t, &m.rows[i], false)
	}
	text := t.Render(width, o.Colours)
	if o.ASCII {
		text = display.ASCII(text)
	}
	return text
}
