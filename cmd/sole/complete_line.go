package main

import "strings"

// commandWord is what the arguments of a command call a command of its own.
const commandWord = "COMMAND [ARG…]"

// line is what stands behind a command, before the word that is completed.
type line struct {
	c          *command
	flags      *flags
	given      map[string]bool // long flags
	dir        string
	words      []string
	wants      *flag // the last word, whose value comes next
	flagsEnded bool
	dashes     bool // a "--" behind NAME
	command    int  // where a command of its own begins, -1 if it does not
}

func readLine(c *command, words []string) *line {
	l := &line{c: c, flags: &flags{}, given: map[string]bool{}, command: -1}
	c.setup(l.flags)
	l.flags.bool(new(bool), "help", 'h', "say how to use this command")
	for i, w := range words {
		switch {
		case l.wants != nil:
			l.take(l.wants, w)
			l.wants = nil
		case w == "--":
			l.dash()
		case !l.flagsEnded && len(w) > 1 && w[0] == '-':
			l.flag(w)
		case l.nextWord() == commandWord:
			l.command = i
			return l
		default:
			l.words = append(l.words, w)
			l.flagsEnded = l.flagsEnded || c.stopsAtName
		}
	}
	return l
}

// dash is a "--". Before a command it stands in the place of the name, or behind it.
func (l *line) dash() {
	if l.flagsEnded && len(l.words) > 0 {
		l.dashes = true
	} else if l.c.stopsAtName && len(l.words) == 0 && len(l.places()) > 1 && l.places()[1] == commandWord {
		l.words = append(l.words, "") // no name
	}
	l.flagsEnded = true
}

// flag takes a word that begins with a hyphen.
func (l *line) flag(w string) {
	if long, ok := strings.CutPrefix(w, "--"); ok {
		name, value, given := strings.Cut(long, "=")
		for _, fl := range l.flags.all {
			if fl.long != name {
				continue
			}
			l.given[name] = true
			if given {
				l.take(fl, value)
			} else if fl.value != "" && !fl.optional {
				l.wants = fl
			}
		}
		return
	}
	for i := 1; i < len(w); i++ {
		fl := l.flags.letter(w[i])
		if fl == nil {
			return
		}
		l.given[fl.long] = true
		if fl.value == "" {
			continue
		}
		if l.wants = fl; i+1 < len(w) {
			l.wants = nil
		}
		return
	}
}

// take keeps the value that decides where names are looked for.
func (l *line) take(fl *flag, value string) {
	if fl.long == "dir" {
		l.dir = atHome(value)
	}
}

// places are the words that the command takes, as its help calls them.
func (l *line) places() []string {
	if before, ok := strings.CutSuffix(l.c.args, commandWord); ok {
		return append(placesIn(before), commandWord)
	}
	if strings.HasPrefix(l.c.args, "INTERPRETER ") {
		return []string{commandWord}
	}
	return placesIn(l.c.args)
}

// placesIn leaves out flags with their values, and "[--]".
func placesIn(args string) []string {
	var all []string
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(args))
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "--":
		case strings.HasPrefix(words[i], "-"):
			i++
		default:
			all = append(all, words[i])
		}
	}
	return all
}

// nextWord is the place of the next word, "" if there is none.
func (l *line) nextWord() string {
	places := l.places()
	if n := len(l.words); n < len(places) {
		return places[n]
	}
	if len(places) > 0 && strings.HasSuffix(places[len(places)-1], "…") {
		return places[len(places)-1]
	}
	return ""
}

// flagsLeft are the flags that may still be given.
func (l *line) flagsLeft() []suggestion {
	var all []suggestion
	for _, fl := range l.flags.all {
		if !l.given[fl.long] || fl.many {
			all = append(all, suggestion{"--" + fl.long, fl.help})
		}
	}
	return all
}
