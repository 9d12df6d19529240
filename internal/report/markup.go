package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// markup is a page being written. All text and all values of attributes go through [escape];
// tags and the names of attributes are constants. What it makes is HTML and XML alike.
type markup struct {
	b     []byte
	stack []string
}

// open begins an element. attrs are names and values in turn; a value of "" is left out.
func (m *markup) open(tag string, attrs ...string) {
	m.start(tag, attrs)
	m.b = append(m.b, '>')
	m.stack = append(m.stack, tag)
}

func (m *markup) start(tag string, attrs []string) {
	m.b = append(m.b, '<')
	m.b = append(m.b, tag...)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		m.b = append(m.b, ' ')
		m.b = append(m.b, attrs[i]...)
		m.b = append(m.b, '=', '"')
		m.b = escape(m.b, attrs[i+1])
		m.b = append(m.b, '"')
	}
}

// end ends the element that was opened last.
func (m *markup) end() {
	last := len(m.stack) - 1
	m.b = append(m.b, '<', '/')
	m.b = append(m.b, m.stack[last]...)
	m.b = append(m.b, '>')
	m.stack = m.stack[:last]
	if last < 4 { // lines for those who read the source
		m.b = append(m.b, '\n')
	}
}

// leaf is an element without content.
func (m *markup) leaf(tag string, attrs ...string) {
	m.start(tag, attrs)
	m.b = append(m.b, '/', '>')
}

// text writes somebody's text.
func (m *markup) text(s string) { m.b = escape(m.b, s) }

// el is an element with nothing but text in it.
func (m *markup) el(tag, text string, attrs ...string) {
	m.open(tag, attrs...)
	m.text(text)
	m.end()
}

// inside adds what another markup has written.
func (m *markup) inside(o *markup) { m.b = append(m.b, o.b...) }

// escape appends text so that it is nothing but text, within an element and within an attribute,
// for HTML and for XML. What is not printable is shown as a Go escape, as everywhere in sole: control
// characters, which XML does not allow, and marks that turn the direction of the text around them.
func escape(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&#34;"...)
		case r == '\'':
			b = append(b, "&#39;"...)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b = append(b, `\x`...)
			b = append(b, "0123456789abcdef"[s[i]>>4], "0123456789abcdef"[s[i]&15])
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		default:
			q := strconv.QuoteRune(r)
			b = append(b, q[1:len(q)-1]...)
		}
	}
	return b
}

// clip keeps at most so many characters.
func clip(s string, most int) string {
	if len(s) <= most || utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
