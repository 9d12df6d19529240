package control

import (
	"fmt"
	"strings"
)

// Request is a line that a client sends.
type Request struct {
	Verb  string
	Words []string
}

const maxVerb = 32

// ParseRequest reads a request from a line without its end. Words are what blanks
// separate; %XX stands for a byte.
func ParseRequest(line string) (Request, error) {
	if len(line) >= MaxLine {
		return Request{}, &ProtocolError{"the line is too long"}
	}
	f := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(f) == 0 {
		return Request{}, &ProtocolError{"the request is empty"}
	}
	if !isVerb(f[0]) {
		return Request{}, &ProtocolError{quote(f[0]) + " is not a request"}
	}
	r := Request{Verb: f[0]}
	for _, w := range f[1:] {
		word, err := unescape(w)
		if err != nil {
			return Request{}, err
		}
		r.Words = append(r.Words, word)
	}
	return r, nil
}

// String is the request as a line, without its end. Words that are empty or too long
// cannot be said in a line: [Request.Check].
func (r Request) String() string {
	var b strings.Builder
	b.WriteString(r.Verb)
	for _, w := range r.Words {
		b.WriteByte(' ')
		escape(&b, w)
	}
	return b.String()
}

// Check says why a request cannot be said in a line.
func (r Request) Check() error {
	if !isVerb(r.Verb) {
		return &ProtocolError{quote(r.Verb) + " is not a request"}
	}
	for _, w := range r.Words {
		if w == "" {
			return &ProtocolError{"an empty word cannot be sent in a line"}
		}
	}
	if n := len(r.String()); n >= MaxLine {
		return &ProtocolError{fmt.Sprintf("the line would have %d bytes, more than %d", n+1, MaxLine)}
	}
	return nil
}

func isVerb(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || i > 0 && (c == '-' || '0' <= c && c <= '9')) {
			return false
		}
	}
	return 0 < len(s) && len(s) <= maxVerb
}

const hexDigits = "0123456789ABCDEF"

// escape writes what is not visible ASCII, and the percent sign, as %XX.
func escape(b *strings.Builder, w string) {
	for i := range len(w) {
		if c := w[i]; c <= ' ' || c >= 0x7f || c == '%' {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
}

func unescape(w string) (string, error) {
	if !strings.Contains(w, "%") {
		return w, nil
	}
	b := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] != '%' {
			b = append(b, w[i])
			continue
		}
		if i+2 >= len(w) || hexValue(w[i+1]) < 0 || hexValue(w[i+2]) < 0 {
			return "", &ProtocolError{"a percent sign is followed by two hexadecimal digits: " + quote(w)}
		}
		b = append(b, byte(hexValue(w[i+1])<<4|hexValue(w[i+2])))
		i += 2
	}
	return string(b), nil
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// oneLine makes text fit for an answer: what would end the line, or is not
// printable ASCII or UTF-8, becomes a question mark.
func oneLine(text string) string {
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || 0x7f <= r && r < 0xa0 || r == '\ufffd':
			return '?'
		}
		return r
	}, text)
}

// maxText is how much of an error's text is sent.
const maxText = 1000
