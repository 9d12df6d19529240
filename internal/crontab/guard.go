package crontab

import "strings"

// guard is a program that keeps a command from running twice, as a job uses it.
type guard struct {
	program string
	// to is what it becomes; nil if it is left alone, and why says why.
	to   *translation
	why  string
	none bool   // it takes no lock after all
	name string // of sole's own
}

// translation turns a guard and its options into `sole run`.
type translation struct {
	note    string   // for the reader
	flags   []string // as they are written in the crontab
	lock    string   // the file, as it is written
	other   bool     // the file is locked by fcntl(2): sole cannot take part
	busy    string   // the exit code of a skip, for those who look at it
	command int      // index of the command's first word
	shell   bool     // that word is text for a shell
	unnamed bool     // the command's words are the name
	keeps   bool     // the guard does something else too, and stays
	cutFrom int      // in that case: the first word that goes,
	cutTo   int      // and the one behind the last
}

// translator returns what reads the words of a guard, its own first. Tables in maps would be
// made at each start of the program, so these are functions.
func translator(program string) func(words []token) (*translation, string) {
	switch program {
	case "flock":
		return fromFlock
	case "lckdo":
		return fromLckdo
	case "setlock":
		return fromSetlock
	case "with-lock-ex":
		return fromWithLockEx
	case "chpst":
		return fromChpst
	case "run-one", "run-this-one":
		return fromRunOne
	}
	return nil
}

// noLock ends the reason why something that looks like a guard is none.
const noLock = "takes no lock"

// foreign says why a known guard is left alone.
func foreign(program string) string {
	switch program {
	case "cronlock", "consul", "etcdctl":
		return "it guards across hosts, which sole run does not"
	case "keep-one-running", "run-one-constantly", "run-one-until-success", "run-one-until-failure":
		return "it starts its command again and again"
	case "s6-setlock", "lockrun", "runlock", "solo", "sem", "withlock":
		return "sole does not know its options"
	case "dotlockfile", "lockfile", "lockfile-create", "shlock":
		return "what it guards cannot be seen"
	}
	return ""
}

// guardOf finds a guard in the words of a simple command, and the index of its word.
func guardOf(words []token) (*guard, int) {
	for i := 0; i < len(words); {
		name := base(value(words[i].text))
		if name == "sole" {
			if n, ok := soleName(words[i:]); ok {
				return &guard{program: name, name: n}, i
			}
		}
		if why := foreign(name); why != "" && foreignUse(name, words[i:]) {
			return &guard{program: name, why: why}, i
		}
		if translate := translator(name); translate != nil && (name != "chpst" || chpstLocks(words[i:])) {
			to, why := translate(words[i:])
			return &guard{program: name, to: to, why: why, none: strings.HasSuffix(why, noLock)}, i
		}
		w, ok := wrapperNamed(name)
		if !ok {
			return nil, 0
		}
		i = w.skip(words, i+1)
	}
	return nil, 0
}

// foreignUse tells `consul lock` from other uses of such programs.
func foreignUse(name string, words []token) bool {
	if name != "consul" && name != "etcdctl" {
		return true
	}
	for _, w := range words[1:] {
		if w.text == "lock" {
			return true
		}
	}
	return false
}

// valueFlags are the flags of `sole run` whose value can be a word of its own.
const valueFlags = " -w -E --older-than --slots --busy-exit --max-time --grace --until --dir --lock --jitter " +
	"--alert-after --overrun --notify --method --pidfile --on --ttl --tick --tick-commit --at-least --lock-delay "

// soleName is the name in `sole run NAME`, and whether the command guards anything.
func soleName(words []token) (n string, ok bool) {
	if len(words) < 2 || !among(words[1].text, " run script lock ") {
		return "", false
	}
	if words[1].text != "run" {
		return "", true
	}
	for i := 2; i < len(words); i++ {
		w := words[i].text
		switch {
		case w == "--":
			return madeName(words[i+1:]), true
		case len(w) < 2 || w[0] != '-':
			return value(w), true
		case among(w, valueFlags), len(w) > 2 && w[1] != '-' && among("-"+w[len(w)-1:], valueFlags) &&
			strings.Trim(w[1:len(w)-1], "qs") == "":
			i++
		}
	}
	return "", true
}
