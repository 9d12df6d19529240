package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// flags are the flags of one command, in the way of getopt_long(3). The standard
// library's package knows no value that may be left out, as --wait has.
type flags struct{ all []*flag }

type flag struct {
	long  string
	short byte   // 0: none
	value string // what the value is called, "" if there is none
	// optional: a long flag's value may be left out, and only "=" gives it. The
	// short flag always has one.
	optional bool
	words    []string // the values, if it takes one of a few
	many     bool     // it may be given more than once
	help     string
	set      func(value string) error
}

func (f *flags) add(fl *flag) { f.all = append(f.all, fl) }

func (f *flags) bool(p *bool, long string, short byte, help string) {
	f.add(&flag{long: long, short: short, help: help, set: func(string) error { *p = true; return nil }})
}

func (f *flags) string(p *string, long string, short byte, value, help string) {
	f.add(&flag{long: long, short: short, value: value, help: help, set: func(v string) error {
		if v == "" {
			return fmt.Errorf("it is empty")
		}
		*p = v
		return nil
	}})
}

func (f *flags) strings(p *[]string, long string, short byte, value, help string) {
	f.add(&flag{long: long, short: short, value: value, many: true, help: help, set: func(v string) error {
		if v == "" {
			return fmt.Errorf("it is empty")
		}
		*p = append(*p, v)
		return nil
	}})
}

func (f *flags) duration(p *time.Duration, long string, short byte, help string) {
	f.add(&flag{long: long, short: short, value: "D", help: help, set: func(v string) (err error) {
		*p, err = parseDuration(v)
		return err
	}})
}

// parse takes the flags from args and returns the words that are none. "--" ends the
// flags; where stopAtWord is set so does the first word, and "--" is kept.
func (f *flags) parse(args []string, stopAtWord bool) ([]string, error) {
	var words []string
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--" && stopAtWord:
			return args, nil
		case arg == "--":
			return append(words, args[1:]...), nil
		case strings.HasPrefix(arg, "--"):
			rest, err := f.long(arg[2:], args[1:])
			if err != nil {
				return nil, err
			}
			args = rest
		case len(arg) > 1 && arg[0] == '-':
			rest, err := f.short(arg[1:], args[1:])
			if err != nil {
				return nil, err
			}
			args = rest
		case stopAtWord:
			return args, nil
		default:
			words, args = append(words, arg), args[1:]
		}
	}
	return words, nil
}

func (f *flags) long(arg string, rest []string) ([]string, error) {
	name, value, given := strings.Cut(arg, "=")
	for _, fl := range f.all {
		if fl.long != name {
			continue
		}
		switch {
		case fl.value == "" && given:
			return nil, usageError("--%s takes no value", name)
		case fl.value != "" && !given && !fl.optional:
			if len(rest) == 0 {
				return nil, usageError("--%s needs a value", name)
			}
			value, rest = rest[0], rest[1:]
		case fl.optional && given && value == "":
			return nil, usageError("--%s= has no value", name)
		}
		return rest, wrapValue("--"+name, value, fl.set(value))
	}
	return nil, unknown("there is no flag --"+shorten(name), "--"+name, f.words())
}

// short takes a group of one-letter flags, the last of which may have a value.
func (f *flags) short(group string, rest []string) ([]string, error) {
	for i := 0; i < len(group); i++ {
		fl := f.letter(group[i])
		if fl == nil {
			return nil, usageError("there is no flag -%s", shorten(group[i:]))
		}
		if fl.value == "" {
			if err := fl.set(""); err != nil {
				return nil, wrapValue("-"+group[i:i+1], "", err)
			}
			continue
		}
		value := group[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, usageError("-%c needs a value", group[i])
			}
			value, rest = rest[0], rest[1:]
		}
		if value == "" && fl.optional {
			return nil, usageError("-%c has an empty value", group[i])
		}
		return rest, wrapValue("-"+group[i:i+1], value, fl.set(value))
	}
	return rest, nil
}

func (f *flags) letter(c byte) *flag {
	for _, fl := range f.all {
		if fl.short == c {
			return fl
		}
	}
	return nil
}

func wrapValue(flag, value string, err error) error {
	if err == nil {
		return nil
	}
	return usageError("%s %q: %v", flag, shorten(value), err)
}

// parseDuration reads 90s, 1h30m, 2d, 1d12h, or seconds without a unit.
func parseDuration(s string) (time.Duration, error) {
	const form = "a duration is like 90s, 1h30m, 2d or 90"
	if s == "" || s[0] == '-' || s[0] == '+' {
		return 0, fmt.Errorf("%s", form)
	}
	var days time.Duration
	rest := s
	if d, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseFloat(d, 64)
		if err != nil || !plainNumber(d) || n > 100*365 {
			return 0, fmt.Errorf("%s", form)
		}
		days = time.Duration(n * float64(24*time.Hour))
		if rest = after; rest == "" {
			return days, nil
		}
	}
	if plainNumber(rest) {
		rest += "s"
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s", form)
	}
	const longest = 100 * 365 * 24 * time.Hour
	if d > longest || days+d > longest {
		return 0, fmt.Errorf("it is longer than 100 years")
	}
	return days + d, nil
}

func plainNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}
