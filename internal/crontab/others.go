package crontab

import "github.com/sole-run/sole/internal/name"

// fromLckdo reads lckdo of moreutils. Its exit code for a conflict is that of sole.
func fromLckdo(words []token) (*translation, string) {
	options, n, ok := getopt(words[1:], "wW:eE:nqsxt", "")
	if !ok {
		return nil, "its options are not all known here"
	}
	t := &translation{other: true}
	wait, limit := false, ""
	for _, o := range options {
		switch o.letter {
		case 'w':
			wait, limit = true, ""
		case 'W':
			wait, limit = true, o.value
		case 'e':
			t.flags = append(t.flags, "--exec")
		case 'q':
			t.flags = append(t.flags, "-q")
		case 's':
			t.flags = append(t.flags, "--shared")
		case 't':
			return nil, "-t " + noLock
		case 'E', 'n':
			return nil, "sole has nothing like -" + string(rune(o.letter))
		}
	}
	if why := t.waits(wait, limit); why != "" {
		return nil, why
	}
	return t.fileAndCommand(words, n+1)
}

// fromSetlock reads setlock of daemontools. It locks by flock(2).
func fromSetlock(words []token) (*translation, string) {
	options, n, ok := getopt(words[1:], "nNxX", "")
	if !ok {
		return nil, "its options are not all known here"
	}
	wait, silent := true, false
	for _, o := range options {
		switch o.letter {
		case 'n', 'N':
			wait = o.letter == 'N'
		case 'x', 'X':
			silent = o.letter == 'x'
		}
	}
	t := &translation{busy: "111"}
	if silent {
		t.flags, t.busy = []string{"-q", "-E", "0"}, ""
	}
	_ = t.waits(wait, "")
	return t.fileAndCommand(words, n+1)
}

// fromWithLockEx reads with-lock-ex of chiark-utils.
func fromWithLockEx(words []token) (*translation, string) {
	options, n, ok := getopt(words[1:], "wqflt:", "")
	if !ok {
		return nil, "its options are not all known here"
	}
	t := &translation{other: true, busy: "255"}
	wait, limit := false, ""
	for _, o := range options {
		switch o.letter {
		case 'w', 'f':
			wait = o.letter == 'w'
			t.flags, t.busy = nil, "255"
		case 'q':
			wait = false
			t.flags, t.busy = []string{"-q", "-E", "0"}, ""
		case 't':
			limit = o.value
		case 'l':
			return nil, "-l " + noLock
		}
	}
	if why := t.waits(wait || limit != "", limit); why != "" {
		return nil, why
	}
	return t.fileAndCommand(words, n+1)
}

// fileAndCommand takes the lock file at word n, and the command behind it.
func (t *translation) fileAndCommand(words []token, n int) (*translation, string) {
	if len(words) < n+2 {
		return nil, "it has no file or no command"
	}
	t.command = n + 1
	return t.file(words[n])
}

const chpstOptions = "u:U:b:e:/:n:l:L:m:d:o:p:f:c:r:t:vVP012"

func chpstLocks(words []token) bool {
	options, _, ok := getopt(words[1:], chpstOptions, "")
	for _, o := range options {
		if o.letter == 'l' || o.letter == 'L' {
			return true
		}
	}
	return !ok
}

// fromChpst reads chpst of runit, which locks by flock(2) behind all else that it does. So
// sole takes the place between it and the command.
func fromChpst(words []token) (*translation, string) {
	options, n, ok := getopt(words[1:], chpstOptions, "")
	if !ok {
		return nil, "its options are not all known here"
	}
	t := &translation{busy: "111"}
	locks, more := 0, 0
	for _, o := range options {
		switch o.letter {
		case 'l', 'L':
			locks++
			if _, why := t.file(token{text: o.value}); why != "" {
				return nil, why
			}
			t.flags = nil
			_ = t.waits(o.letter == 'l', "")
			t.cutFrom, t.cutTo = o.at+1, o.at+1+o.words
			if len(words[o.at+1].text) > 2 && o.words == 2 {
				return nil, "its lock stands in a group of options"
			}
		case 'u', 'U', 'e', 'n', 'P', 'v':
			more++
		default:
			return nil, "sole would run under its option -" + string(rune(o.letter))
		}
	}
	switch {
	case locks != 1:
		return nil, "it has more than one lock"
	case n+1 >= len(words):
		return nil, "it has no command"
	}
	t.command = n + 1
	if more > 0 {
		t.keeps = true
	}
	return t, ""
}

// fromRunOne reads run-one and run-this-one: the command's words are the name.
func fromRunOne(words []token) (*translation, string) {
	if len(words) < 2 {
		return nil, "it has no command"
	}
	t := &translation{busy: "1", unnamed: true, command: 1}
	if base(value(words[0].text)) == "run-this-one" {
		t.flags = []string{"--replace"}
	}
	return t, ""
}

// madeName is the name that `sole run --` makes of a command, empty if the shell has to
// expand something first.
func madeName(words []token) string {
	var argv []string
	for _, w := range words {
		if !literal(w.text) {
			return ""
		}
		argv = append(argv, value(w.text))
	}
	if len(argv) == 0 {
		return ""
	}
	return name.FromCommand(argv)
}
