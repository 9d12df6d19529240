package display

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Width is how many cells printable text takes on a terminal, as wcwidth(3) counts them: none for
// combining marks, two for East Asian wide characters and emoji.
func Width(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n, i = n+1, i+1
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n, i = n+cells(r), i+size
	}
	return n
}

// cells is the width of a character.
func cells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case r >= 0x1160 && r <= 0x11ff: // vowels and finals that join a Hangul syllable
		return 0
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case isWide(r):
		return 2
	}
	return 1
}

func isWide(r rune) bool {
	lo, hi := 0, len(wide)
	for lo < hi {
		mid := (lo + hi) / 2
		switch {
		case r < wide[mid][0]:
			hi = mid
		case r > wide[mid][1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// Clip is s in at most width cells, with an ellipsis where the rest is missing; s itself if width
// is 0 or less.
func Clip(s string, width int) string {
	if width <= 0 || len(s) <= width {
		return s
	}
	taken, cut := 0, 0 // cut is where s ends if it does not fit
	for i, r := range s {
		if taken <= width-1 {
			cut = i
		}
		taken += cells(r)
		if taken > width {
			return s[:cut] + "…"
		}
	}
	return s
}

// Pad is s with blanks behind it, or before it, so that it takes width cells.
func Pad(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(width-Width(s), 0))
	if right {
		return blanks + s
	}
	return s + blanks
}
