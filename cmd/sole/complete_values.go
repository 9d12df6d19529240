package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/sole-run/sole"
)

// valueKind is how a value is completed: one of a few words, or as a shell does it.
type valueKind struct {
	shell string // "files" and the like, "" for words
	words []string
	names string // "held", "all" or "slots"
}

// kindOf tells it by what the help calls the value.
func kindOf(value string, words []string) valueKind {
	switch {
	case len(words) > 0:
		return valueKind{words: words}
	case value == strings.ToLower(value) && strings.Contains(value, "|"):
		return valueKind{words: strings.Split(value, "|")}
	}
	value = strings.TrimSuffix(value, "…")
	switch {
	case strings.HasPrefix(value, "FILE"), value == "PATH":
		return valueKind{shell: "files"}
	case value == "DIR":
		return valueKind{shell: "directories"}
	case value == "USER":
		return valueKind{shell: "users"}
	case value == "VAR":
		return valueKind{shell: "variables"}
	case value == "CMD":
		return valueKind{shell: "programs"}
	case value == "SIG":
		return valueKind{words: signalWords()}
	case value == "SLOT":
		return valueKind{names: "slots"}
	}
	return valueKind{}
}

// kindOfWord is that for a word that is no flag's value.
func (l *line) kindOfWord(word string) valueKind {
	switch {
	case strings.TrimSuffix(word, "…") == "NAME" && l.c.freeNames:
		return valueKind{names: "all"}
	case strings.TrimSuffix(word, "…") == "NAME":
		return valueKind{names: "held"}
	case word == "COMMAND":
		var names []string
		for _, c := range commands() {
			names = append(names, c.name)
		}
		return valueKind{words: names}
	}
	return kindOf(word, nil)
}

// complete is what may follow before in the word that is completed.
func (l *line) complete(k valueKind, before, start string) (string, []suggestion) {
	if k.shell != "" {
		return k.shell + " " + strconv.Itoa(len(before)), nil
	}
	var all []suggestion
	switch k.names {
	case "held", "all":
		all = namesThere(l.dir, k.names == "all")
	case "slots":
		all = slotsHeld(l.dir, l.words)
	}
	for _, w := range k.words {
		all = append(all, suggestion{w, ""})
	}
	found := beginningWith(start, all)
	for i := range found {
		found[i].word = before + found[i].word
	}
	return "words", found
}

// namesThere are the names that are held, or all that have run. What cannot be looked at
// is not suggested.
func namesThere(dir string, free bool) []suggestion {
	names, _ := sole.List(sole.Dir(dir))
	var all []suggestion
	for _, st := range names {
		switch {
		case st.State == sole.Held:
			all = append(all, suggestion{st.Name, words(st.Command, 50)})
		case free:
			all = append(all, suggestion{st.Name, "free"})
		}
	}
	return all
}

// slotsHeld are those of the name that stands there, or of all.
func slotsHeld(dir string, words []string) []suggestion {
	names, _ := sole.List(sole.Dir(dir))
	var all []suggestion
	for _, st := range names {
		if len(words) > 0 && st.Name != words[0] || st.State != sole.Held {
			continue
		}
		for _, h := range st.Holders() {
			if h.Slot > 0 {
				all = append(all, suggestion{strconv.Itoa(h.Slot), "of " + st.Name})
			}
		}
	}
	return all
}

func signalWords() []string {
	var all []string
	for n := syscall.Signal(1); n < 32; n++ {
		if w := signalName(n); w != "" {
			all = append(all, strings.TrimPrefix(w, "SIG"))
		}
	}
	return all
}

// atHome puts the home directory in the place of a tilde, which shells hand over as it was
// typed.
func atHome(path string) string {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(path, "~/"); ok && err == nil {
		return home + "/" + rest
	}
	return path
}
