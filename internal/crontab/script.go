package crontab

import "strings"

// simple is a simple command: assignments, words, redirections.
type simple struct {
	assigns   []token
	words     []token
	redirects []token // with their targets, in pairs
	before    string  // the operator before it, "" at the beginning
	after     string  // the operator behind it, "" at the end
	nested    bool    // in ( ) or { }
}

// script is shell text, taken apart.
type script struct {
	tokens  []token
	all     []simple
	complex bool // it has words such as if, or functions, which are not taken apart further
	// background is how many & there are, but for one at the very end.
	background int
	atEnd      bool // it ends with an &
	bashOnly   bool // it has &>, which other shells read as & and >
}

// Words that stand where a command does: those behind which a command follows, and those
// that end something.
const (
	openers = " if then elif else while until do ! { time "
	closers = " fi done esac } "
	others  = " for case select function [[ coproc in "
)

func among(word, list string) bool { return word != "" && strings.Contains(list, " "+word+" ") }

// parse takes text apart.
func parse(text string) (*script, string) {
	tokens, trouble := lex(text)
	if trouble != "" {
		return nil, trouble
	}
	p := &parser{script: script{tokens: tokens}}
	for i := 0; i < len(tokens) && p.trouble == ""; i++ {
		i = p.take(i)
	}
	p.end("")
	switch {
	case p.trouble != "":
		return nil, p.trouble
	case p.level != 0 && !p.complex:
		return nil, "its parentheses or braces do not match"
	case len(tokens) > 0 && among(tokens[len(tokens)-1].text, " && || | |& "):
		return nil, "it ends with an operator"
	case len(p.all) == 0:
		return nil, "it has no command"
	}
	return &p.script, ""
}

type parser struct {
	script
	now     simple
	last    string // operator
	level   int
	trouble string
}

// take reads token i, and perhaps the target of a redirection; it returns the last one read.
func (p *parser) take(i int) int {
	t := p.tokens[i]
	switch t.kind {
	case operator:
		p.operate(t.text, i == len(p.tokens)-1)
	case redirect:
		if strings.HasPrefix(t.text, "&") {
			p.bashOnly = true
		}
		if i+1 == len(p.tokens) || p.tokens[i+1].kind != word {
			p.trouble = "a redirection leads nowhere"
			return i
		}
		p.now.redirects = append(p.now.redirects, t, p.tokens[i+1])
		return i + 1
	default:
		p.word(t)
	}
	return i
}

func (p *parser) operate(op string, final bool) {
	switch op {
	case "(":
		if len(p.now.words)+len(p.now.assigns) > 0 { // a function, an array
			p.complex = true
		}
		p.end(op)
		p.level++
	case ")":
		p.end(op)
		p.level--
	case "&":
		p.end(op)
		if final && p.level == 0 {
			p.atEnd = true
		} else {
			p.background++
		}
	default:
		if op == ";;" || op == "|&" {
			p.complex = true
		}
		p.end(op)
	}
}

func (p *parser) word(t token) {
	if len(p.now.words) > 0 {
		p.now.words = append(p.now.words, t)
		return
	}
	switch {
	case among(t.text, openers):
		if t.text == "{" {
			p.level++
		} else if t.text != "!" {
			p.complex = true
		}
		p.end(t.text)
	case among(t.text, closers):
		if t.text == "}" {
			p.level--
		} else {
			p.complex = true
		}
		p.end(t.text)
	case among(t.text, others):
		p.complex = true
		p.now.words = append(p.now.words, t)
	case isAssignment(t.text):
		p.now.assigns = append(p.now.assigns, t)
	default:
		p.now.words = append(p.now.words, t)
	}
}

// end closes the simple command at an operator.
func (p *parser) end(op string) {
	c := p.now
	p.now = simple{}
	// Redirections alone behind ) or } belong to these.
	group := (p.last == ")" || p.last == "}") && len(c.words) == 0 && len(c.assigns) == 0
	if !group && (len(c.words) > 0 || len(c.assigns) > 0 || len(c.redirects) > 0) {
		c.before, c.after, c.nested = p.last, op, p.level > 0
		p.all = append(p.all, c)
	}
	p.last = op
}

func isAssignment(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	name = strings.TrimSuffix(name, "+")
	if !ok || name == "" || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	return isName(name)
}

func isName(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && s[i] != '_' {
			return false
		}
	}
	return s != ""
}
