package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// sectionsInOrder is the order that mdoc(7) wants. Others come before SEE ALSO.
var sectionsInOrder = []string{"ENVIRONMENT", "FILES", "EXIT STATUS", "SIGNALS", "EXAMPLES", "SEE ALSO", "CAVEATS"}

// mostInSynopsis is how many flags a synopsis lists one by one.
const mostInSynopsis = 12

// commandPage is the page of one command.
func commandPage(c *command, p *prose) (string, error) {
	f := &flags{}
	c.setup(f)
	if err := p.check(f); err != nil {
		return "", err
	}
	m := newMarker(c, f)
	var b strings.Builder
	head(&b, "sole-"+c.name, "docs/man/src/"+c.name+".mdoc", c.summary)
	b.WriteString(".Nm sole\n.Cm " + c.name + "\n" + synopsis(c, f))
	b.WriteString(".Sh DESCRIPTION\n")
	about := c.about
	if about == "" {
		about = upper(c.summary) + "."
	}
	b.WriteString(m.paragraphs(about))
	b.WriteString(p.sections["DESCRIPTION"])
	if len(f.all) > 0 {
		b.WriteString(".Pp\nThe flags are:\n.Bl -tag -width Ds\n")
		for _, fl := range f.all {
			b.WriteString(".It " + flagItem(fl) + "\n" + m.text(upper(fl.help)+".") + p.options[fl.long])
		}
		b.WriteString(".El\n")
	}
	for _, s := range p.order() {
		body := p.sections[s]
		switch s {
		case "ENVIRONMENT":
			body = environmentOf(f) + body
		case "EXIT STATUS":
			if body == "" {
				body = "Exits with 0 if all went well, and otherwise as\n.Xr sole 1\nsays.\n"
			}
		case "SEE ALSO":
			body = seeAlso(body, "sole 1")
		}
		if body != "" {
			b.WriteString(".Sh " + s + "\n" + body)
		}
	}
	return b.String(), nil
}

// overviewPage is sole.1: the prose, and a list of the commands.
func overviewPage(p *prose) string {
	var b strings.Builder
	head(&b, "sole", "docs/man/src/sole.mdoc", "run only one instance of a program")
	b.WriteString(".Nm\n.Ar command\n.Op Ar flags\n.Op Ar argument ...\n.Sh DESCRIPTION\n" + p.sections["DESCRIPTION"])
	b.WriteString(".Ss Commands\n.Bl -tag -width Ds\n")
	var pages []string
	for _, c := range commands() {
		f := &flags{}
		c.setup(f)
		b.WriteString(".It Xr sole-" + c.name + " 1\n" + newMarker(c, f).text(upper(c.summary)+"."))
		pages = append(pages, "sole-"+c.name+" 1")
	}
	b.WriteString(".El\n")
	for _, s := range p.order() {
		body := p.sections[s]
		if s == "SEE ALSO" {
			body = seeAlso(body, pages...)
		}
		b.WriteString(".Sh " + s + "\n" + body)
	}
	return b.String()
}

func head(b *strings.Builder, page, from, summary string) {
	fmt.Fprintf(b, ".\\\" Made by 'make man' from the tables of cmd/sole and %s: edit those.\n", from)
	fmt.Fprintf(b, ".Dd %s\n.Dt %s 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n.Sh SYNOPSIS\n", today(), strings.ToUpper(page), page, roff(summary))
}

// order is the order of the sections behind DESCRIPTION, those included that a page has anyhow.
func (p *prose) order() []string {
	var own []string
	for s := range p.sections {
		if s != "DESCRIPTION" && !slices.Contains(sectionsInOrder, s) {
			own = append(own, s)
		}
	}
	slices.Sort(own)
	all := slices.Insert(slices.Clone(sectionsInOrder), slices.Index(sectionsInOrder, "SEE ALSO"), own...)
	return slices.DeleteFunc(all, func(s string) bool {
		_, there := p.sections[s]
		return !there && !slices.Contains([]string{"ENVIRONMENT", "EXIT STATUS", "SEE ALSO"}, s)
	})
}

// synopsis is what follows the command.
func synopsis(c *command, f *flags) string {
	var b strings.Builder
	if len(f.all) > mostInSynopsis {
		b.WriteString(".Op Ar flags\n")
	} else {
		for _, fl := range f.all {
			if !strings.Contains(" "+c.args, " --"+fl.long+" ") {
				b.WriteString(".Op " + strings.ReplaceAll(flagItem(fl), " , ", " | ") + "\n")
			}
		}
	}
	for word := range strings.FieldsSeq(c.args) {
		bare := strings.Trim(word, "[]")
		macro := argItem(bare)
		if bare != word {
			macro = "Op " + macro
		}
		b.WriteString("." + macro + "\n")
	}
	// A flag that must be there and its value are one.
	return flagAndValue.ReplaceAllString(b.String(), "$1 $2")
}

var flagAndValue = regexp.MustCompile(`(?m)^(\.Fl -?\w+)\n\.(Ar \w+)`)

// argItem is a word of a command's arguments.
func argItem(word string) string {
	more := ""
	if w, ok := strings.CutSuffix(word, "…"); ok {
		word, more = w, " ..."
	}
	switch {
	case word == "--":
		return `Fl \&-`
	case strings.HasPrefix(word, "-"):
		return "Fl " + word[1:] + more
	case strings.Contains(word, "|") && word == strings.ToLower(word):
		return "Cm " + strings.ReplaceAll(word, "|", " | ") + more
	}
	return "Ar " + word + more
}

// flagItem is a flag as in "-w D, --wait[=D]".
func flagItem(fl *flag) string {
	value := ""
	switch {
	case fl.value == "":
	case fl.value == strings.ToLower(fl.value):
		value = " Cm " + strings.ReplaceAll(fl.value, "|", " | ")
	default:
		value = " Ar " + strings.ReplaceAll(fl.value, "=", " Ns = Ns Ar ")
	}
	s := ""
	if fl.short != 0 {
		s = "Fl " + string(rune(fl.short)) + value + " , "
	}
	s += "Fl -" + fl.long
	if fl.optional {
		return s + " Ns Op = Ns" + value
	}
	return s + value
}

// environmentOf says what each command with --dir reads.
func environmentOf(f *flags) string {
	for _, fl := range f.all {
		if fl.long == "dir" {
			return ".Bl -tag -width SOLE_NAME\n.It Ev SOLE_DIR\nWhere names live, if\n.Fl -dir\nis not given.\n.El\n"
		}
	}
	return ""
}

var crossReference = regexp.MustCompile(`(?m)^\.Xr (\S+ \d)`)

// seeAlso lists what the prose names and more, by section and name.
func seeAlso(body string, more ...string) string {
	for _, m := range crossReference.FindAllStringSubmatch(body, -1) {
		more = append(more, m[1])
	}
	slices.SortFunc(more, func(a, b string) int {
		return strings.Compare(a[len(a)-1:]+a, b[len(b)-1:]+b)
	})
	return ".Xr " + strings.Join(slices.Compact(more), " ,\n.Xr ") + "\n"
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
