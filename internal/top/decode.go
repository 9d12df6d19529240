package top

import (
	"bytes"
	"unicode/utf8"
)

// Decoder makes keys of what a terminal sends. It knows those keys that the screen has a use for;
// everything else that begins with an escape, such as a late answer to a question that another program
// asked, is taken as a whole and dropped.
type Decoder struct {
	rest    []byte
	pasting bool
	pasted  []byte
}

// longestSequence is how long something may be that begins with an escape.
const longestSequence = 4096

// Feed takes what was read, and calls key or paste for what is complete. It reports whether something is
// left that waits for more: call it with nothing when nothing came for a while.
func (d *Decoder) Feed(b []byte, key func(Key), paste func(Pasted)) (more bool) {
	final := len(b) == 0
	d.rest = append(d.rest, b...)
	for len(d.rest) > 0 {
		k, n := d.next(final)
		if n == 0 {
			return true
		}
		text := d.rest[:n]
		d.rest = d.rest[n:]
		switch {
		case k == "paste":
			d.pasting, d.pasted = true, nil
		case k == "pasted" && d.pasting:
			d.pasting = false
			paste(Pasted(d.pasted))
		case d.pasting:
			if len(d.pasted) < longestSequence {
				d.pasted = append(d.pasted, text...)
			}
		case k != "" && k != "pasted":
			key(k)
		}
	}
	d.rest = nil
	return false
}

// next is the first key, and how many bytes it has; 0 bytes if it may not be complete.
func (d *Decoder) next(final bool) (Key, int) {
	b := d.rest
	switch c := b[0]; {
	case c == 0x1b:
		return escape(b, final)
	case c == '\r' || c == '\n':
		return "enter", 1
	case c == '\t':
		return "tab", 1
	case c == 0x7f || c == '\b':
		return "backspace", 1
	case c < ' ':
		if c == 0 || c > 26 {
			return "", 1
		}
		return Key("ctrl+" + string(rune('a'+c-1))), 1
	case c < utf8.RuneSelf:
		return Key(b[:1]), 1
	}
	if !utf8.FullRune(b) && !final {
		return "", 0
	}
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError || r < 0xa0 {
		return "", size
	}
	return Key(b[:size]), size
}

// escape is next for what begins with an escape.
func escape(b []byte, final bool) (Key, int) {
	if len(b) == 1 {
		if final {
			return "esc", 1
		}
		return "", 0
	}
	switch b[1] {
	case '[':
		return control(b, final)
	case 'O':
		if len(b) < 3 {
			return cut(b, final)
		}
		return arrow(b[2]), 3
	case ']', 'P', '_', '^', 'X':
		return "", stringEnd(b, final)
	case 0x1b:
		return "esc", 1
	}
	// With alt: it is no key of ours.
	_, size := utf8.DecodeRune(b[1:])
	return "", 1 + size
}

// cut is a sequence of which no more may come.
func cut(b []byte, final bool) (Key, int) {
	if final || len(b) > longestSequence {
		return "", len(b)
	}
	return "", 0
}

// control is a control sequence: parameters, and a last byte.
func control(b []byte, final bool) (Key, int) {
	for i := 2; i < len(b); i++ {
		switch c := b[i]; {
		case c >= 0x40 && c <= 0x7e:
			return controlKey(string(b[2:i]), c), i + 1
		case c < 0x20 || c > 0x7e: // it is none
			return "", i
		}
	}
	return cut(b, final)
}

func controlKey(parameters string, last byte) Key {
	if last != '~' {
		if parameters == "" || parameters == "1" {
			return arrow(last)
		}
		return ""
	}
	switch parameters {
	case "1", "7":
		return "home"
	case "4", "8":
		return "end"
	case "5":
		return "pgup"
	case "6":
		return "pgdown"
	case "200":
		return "paste"
	case "201":
		return "pasted"
	}
	return ""
}

func arrow(c byte) Key {
	switch c {
	case 'A':
		return "up"
	case 'B':
		return "down"
	case 'C':
		return "right"
	case 'D':
		return "left"
	case 'H':
		return "home"
	case 'F':
		return "end"
	case 'M':
		return "enter"
	}
	return ""
}

// stringEnd is how long a string is that ends with BEL or ST.
func stringEnd(b []byte, final bool) int {
	bel, st := bytes.IndexByte(b, '\a'), bytes.Index(b[2:], []byte("\x1b\\"))
	switch {
	case st >= 0 && (bel < 0 || st+2 < bel):
		return st + 4
	case bel >= 0:
		return bel + 1
	}
	_, n := cut(b, final)
	return n
}
