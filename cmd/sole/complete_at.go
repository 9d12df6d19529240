package main

import (
	"fmt"
	"os"
	"strings"
)

// completeAt prints what the last of the words behind `sole` may become. The first line is
// the kind of completion: "words", with them below, each with a tab and what it means; or
// something that a shell completes itself, with the number of bytes of the word in front of
// it; or "command N": words from N on are a command of its own.
func completeAt(words []string) int {
	kind, found := suggest(words)
	var b strings.Builder
	b.WriteString(kind + "\n")
	for _, s := range found {
		fmt.Fprintf(&b, "%s\t%s\n", s.word, printable(s.means))
	}
	_, err := os.Stdout.WriteString(b.String())
	return printed(err)
}

// suggestion is what a word may become.
type suggestion struct{ word, means string }

func suggest(words []string) (kind string, found []suggestion) {
	last := words[len(words)-1]
	if len(words) == 1 {
		return "words", beginningWith(last, allCommands())
	}
	c := commandNamed(words[0])
	if c == nil {
		return "words", nil
	}
	l := readLine(c, words[1:len(words)-1])
	switch {
	case l.command >= 0:
		return fmt.Sprintf("command %d", l.command+1), nil
	case l.wants != nil: // the value of the flag before
		return l.complete(kindOf(l.wants.value, l.wants.words), "", last)
	case l.flagsEnded || !strings.HasPrefix(last, "-"):
		word := l.nextWord()
		if word == commandWord {
			return fmt.Sprintf("command %d", len(words)-1), nil
		}
		return l.complete(l.kindOfWord(word), "", last)
	}
	if name, value, given := strings.Cut(last, "="); given {
		for _, fl := range l.flags.all {
			if "--"+fl.long == name && fl.value != "" {
				return l.complete(kindOf(fl.value, fl.words), name+"=", value)
			}
		}
		return "words", nil
	}
	return "words", beginningWith(last, l.flagsLeft())
}

func beginningWith(start string, all []suggestion) []suggestion {
	var found []suggestion
	for _, s := range all {
		if strings.HasPrefix(s.word, start) {
			found = append(found, s)
		}
	}
	return found
}

func allCommands() []suggestion {
	var all []suggestion
	for _, c := range commands() {
		all = append(all, suggestion{c.name, c.summary})
	}
	return all
}
