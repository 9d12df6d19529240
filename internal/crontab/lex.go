package crontab

import "strings"

// token is a piece of shell text.
type token struct {
	kind       tokenKind
	start, end int
	text       string
}

type tokenKind int

const (
	word     tokenKind = iota
	operator           // ; & && || | |& ( ) ;;
	redirect           // > 2>> <& and so on, with the number before it
)

// A lexer takes the words of one line of shell text apart. It keeps quotes as they are.
// Where shells differ, or text would need a real parser, it gives up: trouble says why.
type lexer struct {
	text    string
	at      int
	depth   int // of $( and ${ around this place
	trouble string
}

// maxDepth bounds the recursion.
const maxDepth = 50

// lex returns the tokens of text, or says why it cannot.
func lex(text string) (tokens []token, trouble string) {
	x := &lexer{text: text}
	tokens = x.tokens()
	return tokens, x.trouble
}

// tokens reads up to the end of text or, inside $(…), to the closing parenthesis.
func (x *lexer) tokens() []token {
	var all []token
	open := 0
	for x.trouble == "" {
		for x.at < len(x.text) && strings.IndexByte(blanks, x.text[x.at]) >= 0 {
			x.at++
		}
		if x.at == len(x.text) || x.text[x.at] == '#' {
			break
		}
		if x.depth > 0 && open == 0 && x.text[x.at] == ')' {
			return all
		}
		t := x.token()
		switch t.text {
		case "(":
			open++
		case ")":
			open--
		}
		all = append(all, t)
	}
	if x.depth > 0 {
		x.give("$( is not closed")
	}
	return all
}

func (x *lexer) give(trouble string) {
	if x.trouble == "" {
		x.trouble = trouble
	}
}

// operators, the longest first.
var operators = []string{"&&", "||", "|&", ";;", ";", "&", "|", "(", ")"}

// redirects, the longest first. Bash reads &> as one, other shells as two.
var redirects = []string{"&>>", "<<<", "&>", "<<", ">>", "<>", ">&", "<&", ">|", "<", ">"}

func (x *lexer) token() token {
	start := x.at
	digits := x.at
	for digits < len(x.text) && '0' <= x.text[digits] && x.text[digits] <= '9' {
		digits++
	}
	if op := prefixOf(x.text[digits:], redirects); op != "" && (digits == start || op[0] != '&') {
		x.at = digits + len(op)
		switch {
		case op == "<<":
			x.give("it has a here-document")
		case (op == "<" || op == ">") && strings.HasPrefix(x.text[x.at:], "("):
			x.give("it uses a process substitution")
		}
		return token{redirect, start, x.at, x.text[start:x.at]}
	}
	if op := prefixOf(x.text[start:], operators); op != "" {
		x.at += len(op)
		return token{operator, start, x.at, op}
	}
	x.word()
	return token{word, start, x.at, x.text[start:x.at]}
}

func prefixOf(s string, all []string) string {
	for _, p := range all {
		if strings.HasPrefix(s, p) {
			return p
		}
	}
	return ""
}
