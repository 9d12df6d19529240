package display

// Role is what a piece of text is to the reader; the colour follows from it. There are few, so that a
// colour means something.
type Role uint8

// The roles.
const (
	Plain  Role = iota
	Strong      // a heading, what is selected
	Faint       // what is there to be found, not to be read
	Good        // it is as it should be
	Warn        // look at it when there is time
	Bad         // something is wrong
)

// Palette says whether there are colours. The zero value has none.
type Palette bool

// Paint is s in the colour of its role: one of the terminal's own sixteen, so that it can be read on
// any background.
func (p Palette) Paint(r Role, s string) string {
	if !p || r == Plain || s == "" {
		return s
	}
	return sgr(r) + s + "\x1b[0m"
}

func sgr(r Role) string {
	switch r {
	case Strong:
		return "\x1b[1m"
	case Faint:
		return "\x1b[2m"
	case Good:
		return "\x1b[32m"
	case Warn:
		return "\x1b[33m"
	case Bad:
		return "\x1b[31m"
	}
	return ""
}

// Coloured reports whether a terminal is to have colours, by its environment: NO_COLOR is set and not
// empty (no-color.org), or the terminal can show none.
func Coloured(getenv func(string) string) Palette {
	term := getenv("TERM")
	return getenv("NO_COLOR") == "" && term != "" && term != "dumb"
}
