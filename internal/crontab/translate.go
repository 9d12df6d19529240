package crontab

import "strings"

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
	l.plan = &plan{described: describe(words[t.command:], 0), unnamed: t.unnamed,
		user: switchesTo(f.in.words[:f.index])}
	if t.keeps { // behind the options of chpst
		l.plan.user = switchesTo(words[:t.command])
	}
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
