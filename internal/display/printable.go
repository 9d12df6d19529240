package display

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes text safe for a terminal and for one line: what is not printable
// is shown as a Go escape.
func Printable(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else if clean(r) {
			b.WriteRune(r)
		} else {
			q := fmt.Sprintf("%q", string(r))
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// Words is a command as a shell would take it, in at most width cells unless width is 0.
func Words(argv []string, width int) string {
	quoted := make([]string, len(argv))
	for i, w := range argv {
		quoted[i] = Printable(Quote(w))
	}
	return Clip(strings.Join(quoted, " "), width)
}

// Quote is a word as a shell would take it.
func Quote(w string) string {
	if w != "" && strings.IndexFunc(w, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=,@%+…", r))
	}) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
