package main

import (
	"errors"
	"fmt"
	"strings"
)

// prose is what a page says beyond the tables of its command: a file of mdoc(7) with
// sections. In its section OPTIONS an ".It Fl -long" begins what is to be said of a flag
// behind its help.
type prose struct {
	sections map[string]string
	options  map[string]string // by the long name of the flag
}

const optionsSection = "OPTIONS"

func parseProse(text string) (*prose, error) {
	p := &prose{sections: map[string]string{}, options: map[string]string{}}
	section := ""
	for line := range strings.Lines(text) {
		switch name, begins := strings.CutPrefix(strings.TrimRight(line, "\n"), ".Sh "); {
		case begins:
			section = name
			if _, twice := p.sections[section]; twice {
				return nil, fmt.Errorf("%s is there twice", section)
			}
			p.sections[section] = ""
		case strings.HasPrefix(line, `.\"`):
		case section == "":
			return nil, errors.New("it does not begin with .Sh")
		default:
			p.sections[section] += line
		}
	}
	return p, p.takeOptions()
}

// takeOptions takes the section OPTIONS apart.
func (p *prose) takeOptions() error {
	long := ""
	for line := range strings.Lines(p.sections[optionsSection]) {
		name, begins := strings.CutPrefix(strings.TrimRight(line, "\n"), ".It Fl -")
		switch {
		case begins && p.options[name] != "":
			return fmt.Errorf("--%s is there twice", name)
		case begins:
			long = name
			p.options[long] = ""
		case long == "":
			return errors.New("OPTIONS does not begin with .It Fl -")
		default:
			p.options[long] += line
		}
	}
	delete(p.sections, optionsSection)
	return nil
}

// check finds text for flags that are not there, and flags without text.
func (p *prose) check(f *flags) error {
	for long, text := range p.options {
		there := false
		for _, fl := range f.all {
			there = there || fl.long == long
		}
		if !there {
			return fmt.Errorf("there is no flag --%s", long)
		}
		if text == "" {
			return fmt.Errorf("nothing is said of --%s", long)
		}
	}
	return nil
}
