package crontab

import "strings"

// Names that a job could get are made from its words: first the program or script, then what
// tells it from others of the same program.

// interpreter is a program that runs a script.
type interpreter struct {
	shell    bool   // the text is shell text
	anywhere bool   // the text may stand behind operands
	text     string // the short options that are followed by program text
	values   string // those that are followed by something else
	modules  string // the options, long or short, that are followed by what is run
}

// interpreterNamed tells how a program is given a script; python3.11 is python.
func interpreterNamed(name string) (interpreter, bool) {
	switch strings.TrimRight(name, "0123456789.-") {
	case "sh", "dash", "ash", "ksh", "mksh":
		return interpreter{shell: true, text: "c", values: "o"}, true
	case "bash", "zsh":
		return interpreter{shell: true, text: "c", values: "oO"}, true
	case "fish":
		return interpreter{text: "c"}, true
	case "su":
		return interpreter{shell: true, text: "c", values: "sgG", anywhere: true}, true
	case "perl":
		return interpreter{text: "eE"}, true
	case "python", "pypy":
		return interpreter{text: "c", values: "WX", modules: " -m "}, true
	case "ruby":
		return interpreter{text: "e", values: "rI"}, true
	case "php":
		return interpreter{text: "r", values: "dcz", modules: " -f "}, true
	case "node", "nodejs":
		return interpreter{text: "ep", values: "r"}, true
	case "lua":
		return interpreter{text: "e", values: "l"}, true
	case "Rscript":
		return interpreter{text: "e"}, true
	case "java":
		return interpreter{modules: " -jar "}, true
	case "pwsh":
		return interpreter{modules: " -File "}, true
	case "expect":
		return interpreter{values: "cf"}, true
	case "run-parts", "tclsh":
		return interpreter{}, true
	}
	return interpreter{}, false
}

// twoWords are programs whose first operand is a word of their own.
const twoWords = " bundle:exec poetry:run pipenv:run uv:run npm:run yarn:run pnpm:run bun:run deno:run "

// described is what a command is called.
type described struct {
	main  string
	more  []string // what else could tell it from another
	place string   // the directory that it is in, or works in
}

// describe looks at the words of a simple command, behind all wrappers.
func describe(words []token, level int) described {
	words = words[min(program(words), len(words)):]
	if len(words) == 0 {
		return described{main: "job"}
	}
	prog := value(words[0].text)
	name, rest := base(prog), words[1:]
	kind, ok := interpreterNamed(name)
	if !ok {
		if len(rest) > 1 && among(name+":"+value(rest[0].text), twoWords) {
			return describe(rest[1:], level)
		}
		return described{main: stem(prog), more: operands(rest), place: placeOf(prog)}
	}
	i, text := kind.script(rest)
	switch {
	case text && i < len(rest) && kind.shell && level < 4:
		if s, trouble := parse(value(rest[i].text)); trouble == "" {
			return s.describe(level + 1)
		}
	case !text && i < len(rest):
		file := value(rest[i].text)
		return described{main: stem(file), more: operands(rest[i+1:]), place: placeOf(file)}
	}
	return described{main: stem(prog), more: operands(rest), place: placeOf(prog)}
}

// placeOf is the last part of a path's directory.
func placeOf(path string) string {
	i := strings.LastIndexByte(path, '/')
	return stem(path[:max(i, 0)])
}

// script is the index of the script among an interpreter's arguments, or of program text.
func (k interpreter) script(args []token) (i int, text bool) {
	for i < len(args) {
		v := value(args[i].text)
		switch {
		case v == "--":
			return i + 1, false
		case among(v, k.modules):
			return i + 1, false
		case len(v) < 2 || v[0] != '-' && v[0] != '+':
			if !k.anywhere {
				return i, false
			}
		case v[1] != '-' && strings.ContainsAny(v[1:], k.text):
			return i + 1, true
		case v[1] != '-' && len(v) == 2 && strings.IndexByte(k.values, v[1]) >= 0:
			i++
		}
		i++
	}
	return i, false
}

// describe picks the command that matters: the first that is neither preparation nor help.
func (s *script) describe(level int) described {
	cases, dir := false, ""
	var chosen, fallback []token
	for _, c := range s.all {
		if len(c.words) == 0 {
			continue
		}
		first := c.words[0].text
		if first == "cd" && len(c.words) == 2 && chosen == nil {
			dir = value(c.words[1].text)
		}
		cases = cases || first == "case"
		switch {
		case among(first, others), isNumber(first), cases && !strings.Contains(first, "/"): // patterns look like commands
		case isHarmless(c), among(base(value(first)), helpers):
			if fallback == nil || isHarmless(simple{words: fallback}) {
				fallback = c.words
			}
		case chosen == nil:
			chosen = c.words
		}
	}
	if chosen == nil {
		chosen = fallback
	}
	d := describe(chosen, level)
	if d.place == "" || d.place == "." {
		d.place = stem(dir)
	}
	return d
}

// operands are the words that are no options, without their directories.
func operands(words []token) []string {
	var all []string
	for _, w := range words {
		if v := value(w.text); v != "" && v[0] != '-' && len(all) < 3 {
			if s := sanitize(stem(v)); s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

// extensions of scripts say nothing.
const extensions = " sh bash zsh ksh py pl rb php js mjs cjs ts jar R lua tcl exp awk ps1 cron lock lck pid "

// stem is the last part of a path, without what the shell would make and without the
// extension of a script.
func stem(s string) string {
	if i := strings.Index(s, "$("); i >= 0 {
		s = s[:i]
	}
	s, _, _ = strings.Cut(s, "`")
	s = base(s)
	if i := strings.LastIndexByte(s, '.'); i > 0 && among(strings.TrimRight(s[i+1:], "\r"), extensions) {
		return s[:i]
	}
	return s
}
