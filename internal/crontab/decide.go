package crontab

import "strings"

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
	if l.plan == nil {
		return
	}
	if c.Leave[l.Number] {
		l.leave("as asked")
		return
	}
	// There the job would not run at all.
	if c.NoPlace != nil && l.dir == "" && !strings.Contains(l.Command, "SOLE_DIR=") {
		if why := c.NoPlace(l.runsAs()); why != "" {
			l.leave(why)
		}
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
