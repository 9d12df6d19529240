package display

import (
	"slices"
	"strings"
)

// Column is a column of a [Table].
type Column struct {
	Head  string
	Right bool // numbers
	// Keep is how long the column stays when the terminal is narrow: the lowest go first, and
	// of equals the last one. Columns that have 0 always stay.
	Keep int
	// Least is to how many cells it may be cut to make room, 0 for not at all.
	Least int
	// Wide is how wide the column is at least, so that it does not move when its text changes.
	Wide int
}

// Cell is what stands in a column, printable and in one line.
type Cell struct {
	Text string
	Role Role
	// Each gives each character a role of its own, if it is not nil.
	Each func(rune) Role
}

// paint is the text, or as much of it as is shown, in its colours.
func (c *Cell) paint(text string, p Palette) string {
	if c.Each == nil || !p {
		return p.Paint(c.Role, text)
	}
	var b strings.Builder
	for _, r := range text {
		b.WriteString(p.Paint(c.Each(r), string(r)))
	}
	return b.String()
}

// Text is a cell of plain text.
func Text(s string) Cell { return Cell{Text: s} }

// Table is rows below a heading. The columns are as wide as their text, if the terminal is wide
// enough: else those that may be are cut, and then some are left out.
type Table struct {
	Columns []Column
	Gap     int // between two columns, 0 for 2
	rows    [][]Cell
	below   map[int]string // lines below a row
}

// Add adds a row, with a cell for each column.
func (t *Table) Add(row ...Cell) { t.rows = append(t.rows, row) }

// Hide leaves the column with that head out.
func (t *Table) Hide(head string) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Head == head })
	t.Columns = slices.Delete(t.Columns, i, i+1)
	for r := range t.rows {
		t.rows[r] = slices.Delete(t.rows[r], i, i+1)
	}
}

// Below puts lines below the row that was added last, as they are. They end with a newline.
func (t *Table) Below(lines string) {
	if t.below == nil {
		t.below = make(map[int]string)
	}
	t.below[len(t.rows)-1] = lines
}

// Render is the table in at most width cells, or as wide as it is if width is 0. It ends with a newline.
func (t *Table) Render(width int, p Palette) string {
	var b strings.Builder
	for i, line := range t.Lines(width, p) {
		b.WriteString(line)
		b.WriteByte('\n')
		if i > 0 {
			b.WriteString(t.below[i-1])
		}
	}
	return b.String()
}

// Lines are the heading and the rows, without newlines and without what is below a row.
func (t *Table) Lines(width int, p Palette) []string {
	shown := t.fit(width)
	heads := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = Cell{Text: c.Head, Role: Strong}
	}
	lines := make([]string, 0, 1+len(t.rows))
	lines = append(lines, t.line(shown, heads, p))
	for _, row := range t.rows {
		lines = append(lines, t.line(shown, row, p))
	}
	return lines
}

func (t *Table) gap() int {
	if t.Gap > 0 {
		return t.Gap
	}
	return 2
}

// natural is how wide the columns are if nothing is cut.
func (t *Table) natural() []int {
	w := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		w[i] = max(Width(c.Head), c.Wide)
	}
	for _, row := range t.rows {
		for i, c := range row {
			w[i] = max(w[i], Width(c.Text))
		}
	}
	return w
}

// place is a column that is shown, and how wide.
type place struct{ column, width int }

// fit chooses the columns and their widths.
func (t *Table) fit(width int) []place {
	columns, natural := t.Columns, t.natural()
	shown := make([]place, len(columns))
	for i := range columns {
		shown[i] = place{i, natural[i]}
	}
	if width <= 0 {
		return shown
	}
	for i, c := range columns {
		if c.Least > 0 {
			shown[i].width = min(natural[i], max(c.Least, Width(c.Head)))
		}
	}
	for t.total(shown) > width {
		i := leastKept(columns, shown)
		if i < 0 {
			break
		}
		shown = slices.Delete(shown, i, i+1)
	}
	// What is left over goes to those that are cut, the first ones first.
	spare := width - t.total(shown)
	for i := range shown {
		more := min(max(spare, 0), natural[shown[i].column]-shown[i].width)
		shown[i].width += more
		spare -= more
	}
	// Too wide even so: what is last gives way.
	for i := len(shown) - 1; i >= 0 && spare < 0; i-- {
		less := min(-spare, shown[i].width-1)
		shown[i].width -= less
		spare += less
	}
	return shown
}

func (t *Table) total(shown []place) int {
	n := t.gap() * (len(shown) - 1)
	for _, s := range shown {
		n += s.width
	}
	return n
}

// leastKept is which of shown goes next, -1 if none may.
func leastKept(columns []Column, shown []place) int {
	least := -1
	for i, s := range shown {
		keep := columns[s.column].Keep
		if keep > 0 && (least < 0 || keep <= columns[shown[least].column].Keep) {
			least = i
		}
	}
	return least
}

// line is a row, without blanks at its end.
func (t *Table) line(shown []place, row []Cell, p Palette) string {
	var b strings.Builder
	blanks := 0
	for i, s := range shown {
		c := row[s.column]
		text := Clip(c.Text, s.width)
		pad := s.width - Width(text)
		if i > 0 {
			blanks += t.gap()
		}
		if t.Columns[s.column].Right {
			blanks, pad = blanks+pad, 0
		}
		if text != "" {
			for ; blanks > 0; blanks-- {
				b.WriteByte(' ')
			}
			b.WriteString(c.paint(text, p))
		}
		blanks += pad
	}
	return b.String()
}
