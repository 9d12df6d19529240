package crontab

import (
	"fmt"
	"strings"
)

// unguarded plans to put sole before the command, or before a shell that runs it.
func (l *Line) unguarded(s *script, c Choice) {
	last := s.all[len(s.all)-1]
	whole := s.tokens[:len(s.tokens)]
	if s.atEnd {
		whole = whole[:len(whole)-1]
	}
	for len(whole) > 0 && whole[len(whole)-1].text == ";" {
		whole = whole[:len(whole)-1]
	}
	switch {
	case s.background > 0:
		l.leave("it starts something in the background, which would go on without the guard")
		return
	case s.bashOnly && !among(base(l.shell), " bash zsh ") && !(len(s.all) == 1 && s.insertable()):
		l.leave("it has &>, which shells read differently")
		return
	case len(whole) == 0:
		l.leave("it has no command")
		return
	}
	l.plan = &plan{described: s.describe(0)}
	l.plan.key = l.User + "\x00" + keyOf(whole)
	from, to := l.start+whole[0].start, l.start+whole[len(whole)-1].end
	if s.insertable() {
		word := last.words[0]
		if word.text == "exec" {
			word = last.words[1]
		}
		sole := l.sole(c, last, nil)
		l.plan.edits = func(n string) []Edit {
			return []Edit{{l.start + word.start, 0, sole + " run " + c.flags(nil) + n + " -- "}}
		}
		l.warn(last)
		return
	}
	sole := quote(c.Sole(l.path))
	l.plan.edits = func(n string) []Edit {
		edits := []Edit{{from, 0, sole + " run " + c.flags(nil) + n + " -- " + l.shell + " -c '"}}
		for i := from; i < to; i++ {
			if l.raw[i] == '\'' {
				edits = append(edits, Edit{i + 1, 0, `\''`})
			}
		}
		closing := "'"
		if strings.HasPrefix(l.raw[to:], "#") { // a comment, as long as it is not glued to a word
			closing = "' "
		}
		return append(edits, Edit{to, 0, closing})
	}
}

// insertable reports whether sole can stand before the last simple command, because all
// before it only prepares it.
func (s *script) insertable() bool {
	if s.complex {
		return false
	}
	sourced := false // what is sourced may define functions
	for i, c := range s.all {
		if c.nested || sourced && i == len(s.all)-1 && len(c.words) > 0 && !strings.Contains(c.words[0].text, "/") {
			return false
		}
		sourced = sourced || len(c.words) > 0 && among(c.words[0].text, " . source eval ")
		if i < len(s.all)-1 {
			if !isHarmless(c) || !among(c.after, " && || ; ") {
				return false
			}
		} else if !isProgram(c) || !among(c.after, " ; & ") && c.after != "" {
			return false
		}
	}
	return true
}

// isProgram reports whether the shell starts a program for c, and nothing else.
func isProgram(c simple) bool {
	if len(c.words) == 0 {
		return false
	}
	w := c.words[0].text
	if w == "exec" {
		return len(c.words) > 1 && isProgram(simple{words: c.words[1:]})
	}
	v := value(w)
	return v != "" && v[0] != '-' && !among(v, builtins) && (literal(w) || strings.Contains(v, "/"))
}

// keyOf is what makes a command that command: its words, but not where its output goes.
func keyOf(tokens []token) string {
	var b strings.Builder
	for i := 0; i < len(tokens); i++ {
		if tokens[i].kind == redirect && !strings.Contains(tokens[i].text, "<") {
			i++
			continue
		}
		b.WriteString(tokens[i].text + " ")
	}
	return b.String()
}

// warn says what happens to a file that each start empties.
func (l *Line) warn(c simple) {
	for i := 0; i+1 < len(c.redirects); i += 2 {
		op, file := strings.TrimLeft(c.redirects[i].text, "0123456789"), value(c.redirects[i+1].text)
		if among(op, " > >| &> ") && !strings.HasPrefix(file, "/dev/") {
			l.remark(fmt.Sprintf("a start that is skipped empties %s all the same; >> would not", file))
			return
		}
	}
}
