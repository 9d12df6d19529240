package top

import (
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/sole-run/sole/internal/display"
)

// SuspendMsg asks for the program to stop as ctrl-z stops others.
type SuspendMsg struct{}

// key does what a key is for.
func (m *Model) key(k Key) tea.Cmd {
	switch k {
	case "ctrl+c":
		m.quit = true
		return tea.Quit
	case "ctrl+z":
		return func() tea.Msg { return SuspendMsg{} }
	case "ctrl+l":
		return tea.ClearScreen
	}
	switch {
	case m.dialog != nil:
		return m.dialogKey(k)
	case m.typing:
		return m.filterKey(k)
	}
	m.note = display.Cell{}
	switch k {
	case "q":
		if m.page == listPage {
			m.quit = true
			return tea.Quit
		}
		m.open(listPage)
		return nil
	case "esc", "left", "h", "backspace":
		if m.page == listPage && k == "esc" {
			m.filter = ""
			m.arrange()
		}
		m.open(listPage)
		return nil
	case "?":
		if m.page == helpPage {
			m.open(listPage)
		} else {
			m.open(helpPage)
		}
		return nil
	case "s", "r", "x", "K":
		return m.act(k)
	}
	if m.page == listPage {
		return m.listKey(k)
	}
	return m.pageKey(k)
}

// open turns to a page.
func (m *Model) open(p page) tea.Cmd {
	m.page, m.scroll, m.failed = p, 0, ""
	m.log = nil
	if p == listPage {
		return nil
	}
	return m.refreshPage()
}

func (m *Model) listKey(k Key) tea.Cmd {
	if moved, ok := move(k, m.selected, m.listHeight()); ok {
		m.selected = max(0, min(moved, len(m.rows)-1))
		return nil
	}
	switch k {
	case "/":
		m.typing = true
	case "a":
		m.free = !m.free
		m.arrange()
		return m.look()
	case "o":
		m.order = (m.order + 1) % orders
		m.arrange()
	case "enter", "right", "l":
		r := m.current()
		if r == nil {
			return nil
		}
		m.of, m.detail = *r, r.Status
		if k == "l" {
			return m.open(logPage)
		}
		return m.open(detailsPage)
	}
	return nil
}

func (m *Model) pageKey(k Key) tea.Cmd {
	switch k {
	case "l":
		if m.page == detailsPage {
			return m.open(logPage)
		}
	case "enter":
		if m.page == logPage {
			m.detail = m.of.Status
			return m.open(detailsPage)
		}
	}
	if moved, ok := move(k, m.scroll, m.pageHeight()); ok {
		m.scroll = max(0, min(moved, len(m.pageLines())-m.pageHeight()))
	}
	return nil
}

// move is where a key leads from a line, on a screen of height lines.
func move(k Key, from, height int) (int, bool) {
	const far = 1 << 30
	switch k {
	case "up", "k":
		return from - 1, true
	case "down", "j":
		return from + 1, true
	case "pgup", "ctrl+b", "ctrl+u":
		return from - max(height-1, 1), true
	case "pgdown", "ctrl+f", "ctrl+d", " ":
		return from + max(height-1, 1), true
	case "home", "g":
		return 0, true
	case "end", "G":
		return from + far, true
	}
	return 0, false
}

// filterKey edits the filter.
func (m *Model) filterKey(k Key) tea.Cmd {
	switch k {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.filter = false, ""
		m.arrange()
	case "backspace":
		_, size := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-size]
		m.arrange()
	case "ctrl+u":
		m.filter = ""
		m.arrange()
	case "up", "down":
		return m.listKey(k)
	default:
		if utf8.RuneCountInString(string(k)) == 1 { // others are words
			m.typeFilter(string(k))
		}
	}
	return nil
}

// longestFilter is how many characters a filter has at most.
const longestFilter = 100

// typeFilter adds what is printable to the filter.
func (m *Model) typeFilter(s string) {
	for _, r := range s {
		if unicode.IsPrint(r) && r != utf8.RuneError && utf8.RuneCountInString(m.filter) < longestFilter {
			m.filter += string(r)
		}
	}
	m.arrange()
}
