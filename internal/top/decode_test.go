package top

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// decode feeds what is typed, in pieces of that size, and then nothing.
func decode(typed string, size int) string {
	var d Decoder
	var got []string
	feed := func(b []byte) bool {
		return d.Feed(b, func(k Key) { got = append(got, string(k)) }, func(p Pasted) { got = append(got, "paste:"+string(p)) })
	}
	for len(typed) > 0 {
		n := min(size, len(typed))
		feed([]byte(typed[:n]))
		typed = typed[n:]
	}
	feed(nil)
	return strings.Join(got, " ")
}

func TestDecoder(t *testing.T) {
	for typed, want := range map[string]string{
		"q":                          "q",
		"\x1b":                       "esc",
		"\x1b\x1b":                   "esc esc",
		"\x1b[A\x1bOB\x1b[5~\x1b[6~": "up down pgup pgdown",
		"\x1b[H\x1b[F\x1b[1~\x1b[4~": "home end home end",
		"\r\n\t\x7f\b":               "enter enter tab backspace backspace",
		"\x03\x1a\x0c":               "ctrl+c ctrl+z ctrl+l",
		"aé日":                        "a é 日",
		"\xff\xc3q":                  "q",
		"\x1b[?2026;2$yq":            "q",
		"\x1b]11;rgb:1/s/y\aq":       "q",
		"\x1b]11;rgb:1/s/y\x1b\\q":   "q",
		"\x1bP1$r0q\x1b\\q":          "q",
		"\x1b[1;5Aq":                 "q",
		"\x1bsq":                     "q",
		"\x1b[200~sy\r\x1b[201~q":    "paste:sy\r q",
		"\x1b[":                      "",
		"\x1b]0;never ends sy":       "",
		"\x1b[31\x07q":               "ctrl+g q",
		"\x00":                       "",
	} {
		for _, size := range []int{1, 2, 3, 100} {
			if got := decode(typed, size); got != want {
				t.Errorf("%q in pieces of %d: %q, want %q", typed, size, got, want)
			}
		}
	}
}

// Whatever is typed, it comes to an end.
func TestDecoderTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringOf(rapid.SampledFrom([]rune("\x1b[]P_O~;019Aq\a\\$ é\x00"))).Draw(t, "typed")
		decode(typed, rapid.IntRange(1, 9).Draw(t, "size"))
	})
}
