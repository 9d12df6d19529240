package main

import (
	"regexp"
	"strings"
)

// marker gives plain text, as help has it, the macros of mdoc(7).
type marker struct{ values map[string]bool }

// newMarker knows what the values of the command are called.
func newMarker(c *command, f *flags) *marker {
	m := &marker{map[string]bool{}}
	add := func(s string) {
		for _, w := range regexp.MustCompile(`[A-Z]+`).FindAllString(s, -1) {
			m.values[w] = true
		}
	}
	add(c.args)
	for _, fl := range f.all {
		add(fl.value)
	}
	return m
}

// paragraphs has text with blank lines between paragraphs, and indented lines of code.
func (m *marker) paragraphs(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		plain := ""
		if i > 0 {
			b.WriteString(".Pp\n")
		}
		for line := range strings.SplitSeq(part, "\n") {
			code, ok := strings.CutPrefix(line, "  ")
			if !ok {
				plain += line + " "
				continue
			}
			if plain != "" {
				b.WriteString(m.text(plain) + ".Pp\n")
				plain = ""
			}
			b.WriteString(".Dl " + strings.ReplaceAll(roff(code), "-", `\-`) + "\n")
		}
		if plain != "" {
			b.WriteString(m.text(plain))
		}
	}
	return b.String()
}

var (
	quoted  = regexp.MustCompile(`^(\(?)(?:'([^']+)'|"([^"]+)")([.,;:)]*)(?: |$)`)
	oneWord = regexp.MustCompile(`^(\(?)([a-z0-9_.-]+\(\d\)|\S+?)([.,;:)]*)(?: |$)`)
	page    = regexp.MustCompile(`^([a-z0-9_.-]+)\((\d)\)$`)
	aFlag   = regexp.MustCompile(`^--?[A-Za-z][a-z-]*$`)
)

// text is one paragraph: a macro has a line of its own, and so has a sentence.
func (m *marker) text(s string) string {
	var b, plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			b.WriteString(fold(plain.String(), helpWidth-2, 0) + "\n")
			plain.Reset()
		}
	}
	for s = strings.TrimSpace(strings.ReplaceAll(s, "\n", " ")); s != ""; s = strings.TrimSpace(s) {
		if q := quoted.FindStringSubmatch(s); q != nil {
			flush()
			b.WriteString(m.line(q[1], "Ql "+roffArgs(q[2]+q[3]), q[4]))
			s = s[len(q[0]):]
			continue
		}
		w := oneWord.FindStringSubmatch(s)
		s = s[len(w[0]):]
		if macro := m.macro(w[2]); macro != "" {
			flush()
			b.WriteString(m.line(w[1], macro, w[3]))
			continue
		}
		plain.WriteString(roff(strings.TrimSpace(w[0])) + " ")
		if strings.HasSuffix(w[3], ".") {
			flush()
		}
	}
	flush()
	return b.String()
}

// line is a macro with what stands before and behind it.
func (m *marker) line(before, macro, behind string) string {
	if before != "" {
		macro = "Pf " + before + " " + macro
	}
	for _, r := range behind {
		macro += " " + string(r)
	}
	return "." + macro + "\n"
}

// macro is how a word is marked up, "" for none.
func (m *marker) macro(word string) string {
	bare, s := strings.CutSuffix(word, "'s")
	switch {
	case m.values[bare] && s:
		return "Ar " + bare + " Ns 's"
	case m.values[bare]:
		return "Ar " + bare
	case word == "--":
		return `Fl \&-`
	case aFlag.MatchString(word):
		return "Fl " + word[1:]
	case strings.HasPrefix(word, "SOLE_"):
		return "Ev " + word
	}
	if p := page.FindStringSubmatch(word); p != nil {
		return "Xr " + p[1] + " " + p[2]
	}
	return ""
}

// roff keeps text from being read as requests.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "…", "...", `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

var callable = regexp.MustCompile(`^([A-Z][a-z]|[.,;:|()\[\]?!-])$`)

// roffArgs does so for the arguments of a macro.
func roffArgs(s string) string {
	words := strings.Fields(roff(s))
	for i, w := range words {
		if callable.MatchString(w) {
			words[i] = `\&` + w
		}
	}
	return strings.ReplaceAll(strings.Join(words, " "), "-", `\-`)
}
