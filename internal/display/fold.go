package display

import "strings"

// Fold breaks text between its words into lines of at most width cells, all but the first of them
// indented by indent more.
func Fold(text string, width, indent int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		w := Width(word)
		switch {
		case i == 0:
		case column+1+w > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += w
	}
	return b.String()
}
