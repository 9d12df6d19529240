package crontab

import "strings"

// word moves behind a word.
func (x *lexer) word() {
	for x.trouble == "" && x.at < len(x.text) {
		switch c := x.text[x.at]; c {
		case ' ', '\t', ';', '&', '|', '<', '>', '(', ')':
			return
		case '\'':
			x.single()
		case '$':
			if strings.HasPrefix(x.text[x.at:], "$'") {
				x.give("it uses $'…', which shells read differently")
			}
			x.piece(c, false)
		default:
			x.piece(c, false)
		}
	}
}

// piece moves behind what is read alike inside and outside of double quotes.
func (x *lexer) piece(c byte, quoted bool) {
	switch {
	case c == '\\':
		if x.at+1 == len(x.text) {
			x.give("it ends with a backslash")
		}
		x.at = min(x.at+2, len(x.text))
	case c == '"' && !quoted:
		x.double()
	case c == '`':
		x.backquote()
	case strings.HasPrefix(x.text[x.at:], "$("):
		x.nested(2, func() { x.substitution() })
	case strings.HasPrefix(x.text[x.at:], "${"):
		x.nested(2, func() { x.parameter(quoted) })
	default:
		x.at++
	}
}

// nested moves over an opening, and goes one level down.
func (x *lexer) nested(opening int, inside func()) {
	if x.depth++; x.depth > maxDepth {
		x.give("it is nested too deeply")
		return
	}
	x.at += opening
	inside()
	x.depth--
}

func (x *lexer) single() {
	i := strings.IndexByte(x.text[x.at+1:], '\'')
	if i < 0 {
		x.give("a single quote is not closed")
		return
	}
	x.at += i + 2
}

func (x *lexer) double() {
	x.at++
	for x.trouble == "" {
		if x.at == len(x.text) {
			x.give("a double quote is not closed")
			return
		}
		c := x.text[x.at]
		if c == '"' {
			x.at++
			return
		}
		x.piece(c, true)
	}
}

func (x *lexer) backquote() {
	for x.at++; x.at < len(x.text); x.at++ {
		switch x.text[x.at] {
		case '\\':
			x.at++
		case '`':
			x.at++
			return
		}
	}
	x.at = len(x.text)
	x.give("a back quote is not closed")
}

// substitution moves behind the command inside $(…), or the sum inside $((…)).
func (x *lexer) substitution() {
	for _, t := range x.tokens() {
		if t.text == "case" { // its patterns have parentheses that nothing opens
			x.give("it has a case inside $(…)")
		}
	}
	x.at = min(x.at+1, len(x.text)) // behind the closing parenthesis
}

// parameter moves behind ${…}.
func (x *lexer) parameter(quoted bool) {
	for x.trouble == "" {
		if x.at >= len(x.text) {
			x.give("${ is not closed")
			return
		}
		switch c := x.text[x.at]; {
		case c == '}':
			x.at++
			return
		case c == '\'' && quoted:
			x.give("it has a single quote inside \"${…}\", which shells read differently")
		case c == '\'':
			x.single()
		default:
			// Inside "${…}" a double quote opens a part of its own.
			x.piece(c, false)
		}
	}
}
