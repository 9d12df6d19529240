package crontab

import (
	"fmt"
	"strings"
)

// posix are the shells whose text is read here.
const posix = " sh bash dash ash ksh mksh zsh "

// decide looks for a guard, and plans one if there is none.
func (l *Line) decide(c Choice) {
	shell := base(l.shell)
	if !among(shell, posix) || quote(l.shell) != l.shell {
		l.State = Unknown
		l.leave("SHELL=" + l.shell + " is not one whose text sole reads")
		return
	}
	s, trouble := parse(l.Command)
	if trouble != "" {
		l.State = Unknown
		l.leave(trouble)
		return
	}
	if l.User == "" && len(s.all[0].words) > 1 && s.all[0].words[0].text == "root" {
		l.State = Unknown
		l.leave("the command begins with root: this looks like a system crontab, see --system")
		return
	}
	found := s.guards(0)
	l.State = Unguarded
	if len(found) > 0 {
		l.guarded(s, found, c)
	} else {
		l.unguarded(s, c)
	}
	if c.Leave[l.Number] && l.plan != nil {
		l.leave("as asked")
	}
}

// found is a guard, and where it was found.
type found struct {
	*guard
	in    simple
	index int  // of its word
	inner bool // in the text of sh -c
}

// guards looks for guards in all simple commands.
func (s *script) guards(level int) []found {
	var all []found
	for _, c := range s.all {
		if g, i := guardOf(c.words); g != nil {
			all = append(all, found{guard: g, in: c, index: i})
			continue
		}
		words := c.words[program(c.words):]
		if len(words) == 0 || level == 4 {
			continue
		}
		kind, ok := interpreterNamed(base(value(words[0].text)))
		if !ok || !kind.shell {
			continue
		}
		if i, text := kind.script(words[1:]); text && i+1 < len(words) {
			if in, trouble := parse(value(words[i+1].text)); trouble == "" {
				for _, f := range in.guards(level + 1) {
					f.inner = true
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// guarded plans to translate the guard.
func (l *Line) guarded(s *script, all []found, c Choice) {
	f := all[0]
	for _, other := range all {
		if other.program == "sole" {
			l.State, l.Guard, l.Name = BySole, "sole", other.name
			return
		}
	}
	l.State, l.Guard = Guarded, f.program
	switch {
	case len(all) > 1:
		l.leave("it has more than one guard")
	case f.to == nil:
		if f.none {
			l.State, l.Guard = Unguarded, ""
		}
		l.leave(f.why)
	case f.inner:
		l.leave("the guard is inside the text of another shell")
	case s.complex || s.background > 0 || s.bashOnly:
		l.leave("the guard is inside a construct of the shell")
	default:
		l.translate(s, f, c)
	}
}

// hasMore reports whether a command that matters is neither guarded nor in a pipe with the
// guard.
func (s *script) hasMore(f found) bool {
	for _, c := range s.all {
		if len(c.words) > 0 && c.words[0] != f.in.words[0] && !isHarmless(c) && c.before != "|" && c.after != "|" &&
			!among(base(value(c.words[0].text)), helpers) {
			return true
		}
	}
	return false
}

// translate plans to put sole in the guard's place.
func (l *Line) translate(s *script, f found, c Choice) {
	t, words := f.to, f.in.words[f.index:]
	from, command := words[0], words[t.command]
	for _, r := range f.in.redirects {
		if r.start > from.start && r.start < command.start {
			l.leave("it has a redirection between the guard and its command")
			return
		}
	}
	if v := value(command.text); !t.shell && among(v, onlyShell) {
		l.State, l.Guard = Unguarded, ""
		l.leave(f.program + " guards only " + v + " there, which is no program")
		return
	}
	if s.hasMore(f) {
		l.remark("only a part of it is guarded")
	}
	l.plan = &plan{described: describe(words[t.command:], 0), unnamed: t.unnamed}
	if t.shell {
		if in, trouble := parse(value(command.text)); trouble == "" {
			l.plan.described = in.describe(1)
		}
	}
	l.plan.key = l.User + "\x00" + keyOf(words[t.command:])
	if t.lock != "" {
		l.lockKey = value(t.lock)
	}
	if t.unnamed {
		l.Name = madeName(words[t.command:])
	}
	flags := append([]string{}, t.flags...)
	if t.busy != "" && f.looked() {
		flags = append(flags, "-E", t.busy)
	}
	if t.lock != "" && !c.Drop && !t.other {
		flags = append(flags, "--lock", t.lock)
	}
	if t.note != "" {
		l.remark(t.note)
	}
	if t.other {
		l.remark("others that lock " + value(t.lock) + " with " + f.program + " no longer exclude it: sole has another kind of lock")
	}
	sole := l.sole(c, f.in, f.in.words[:f.index])
	l.plan.edits = func(n string) []Edit {
		run := sole + " run " + c.flags(flags)
		if n != "" {
			run += n + " "
		}
		run += "-- "
		if t.shell {
			run += l.shell + " -c "
		}
		if t.keeps {
			first, last := words[t.cutFrom], words[t.cutTo]
			return []Edit{
				{l.start + first.start, last.start - first.start, ""},
				{l.start + command.start, 0, run},
			}
		}
		return []Edit{{l.start + from.start, command.start - from.start, run}}
	}
}

// looked reports whether somebody but cron can see the guard's exit code.
func (f found) looked() bool {
	return f.in.nested || f.in.before == "!" || !among(f.in.after, " | & ") && f.in.after != ""
}

// flags joins flags, and adds those that all get.
func (c Choice) flags(given []string) string {
	if c.Quiet && !among("-q", " "+strings.Join(given, " ")+" ") {
		given = append([]string{"-q"}, given...)
	}
	if len(given) == 0 {
		return ""
	}
	return strings.Join(given, " ") + " "
}

// sole is how sole is called before or behind these words.
func (l *Line) sole(c Choice, in simple, before []token) string {
	path := l.path
	for _, a := range in.assigns {
		if strings.HasPrefix(a.text, "PATH") {
			path = ""
		}
	}
	for _, w := range before {
		if v := value(w.text); !strings.HasPrefix(v, "-") && !among(base(v), quietWrappers) && !isDecimal(strings.Trim(v, "smhd")) {
			path = ""
		}
	}
	if strings.Contains(l.Command, "PATH=") || strings.Contains(l.Command, "eval ") || strings.Contains(l.Command, ". ") || strings.Contains(l.Command, "source ") {
		path = ""
	}
	return quote(c.Sole(path))
}

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
