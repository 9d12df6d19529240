package crontab

import "strings"

// option is an option that a program was given.
type option struct {
	letter byte
	value  string // as it is written
	words  int    // how many words it takes
	at     int    // index of its first word
}

// getopt reads the options at the beginning of words, as getopt(3) with a "+" does. shorts
// has a letter an option, with a colon behind one that takes a value; longs is
// like " shared:s wait:w ", with the letter that a long option stands for. rest is the index of the first other word. It is not ok if an option is
// unknown, or written so that the shell makes it.
func getopt(words []token, shorts string, longs string) (all []option, rest int, ok bool) {
	for rest < len(words) {
		w := words[rest].text
		switch {
		case !plain(w) && (w[0] == '-' || strings.HasPrefix(value(w), "-")):
			return nil, rest, false
		case w == "--":
			return all, rest + 1, true
		case strings.HasPrefix(w, "--"):
			o, ok := longOption(words[rest:], shorts, longs)
			if !ok {
				return nil, rest, false
			}
			o.at = rest
			all, rest = append(all, o), rest+o.words
		case len(w) > 1 && w[0] == '-':
			group, ok := shortOptions(words[rest:], shorts)
			if !ok {
				return nil, rest, false
			}
			for i := range group {
				group[i].at = rest
			}
			all, rest = append(all, group...), rest+group[len(group)-1].words
		default:
			return all, rest, true
		}
	}
	return all, rest, true
}

func takesValue(shorts string, c byte) bool {
	i := strings.IndexByte(shorts, c)
	return i >= 0 && i+1 < len(shorts) && shorts[i+1] == ':'
}

func longOption(words []token, shorts string, longs string) (option, bool) {
	name, v, given := strings.Cut(words[0].text[2:], "=")
	_, letter, ok := strings.Cut(longs, " "+name+":")
	if !ok || strings.ContainsAny(name, " :") {
		return option{}, false
	}
	c := letter[0]
	o := option{letter: c, value: v, words: 1}
	switch needs := takesValue(shorts, c); {
	case !needs && given:
		return o, false
	case needs && !given:
		if len(words) < 2 {
			return o, false
		}
		o.value, o.words = words[1].text, 2
	}
	return o, true
}

// shortOptions takes a group such as -xn or -nw10 apart.
func shortOptions(words []token, shorts string) ([]option, bool) {
	var all []option
	group := words[0].text[1:]
	for i := 0; i < len(group); i++ {
		c := group[i]
		if c == ':' || strings.IndexByte(shorts, c) < 0 {
			return nil, false
		}
		o := option{letter: c, words: 1}
		if takesValue(shorts, c) {
			if o.value = group[i+1:]; o.value == "" {
				if len(words) < 2 {
					return nil, false
				}
				o.value, o.words = words[1].text, 2
			}
			return append(all, o), true
		}
		all = append(all, o)
	}
	return all, true
}
