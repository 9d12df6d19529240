package doctor

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// rule is a line of tmpfiles.d(5).
type rule struct {
	kind string // its letter, without modifiers
	path string // may be a pattern
	age  string // "" for none
	boot bool   // applied while the host starts only
	file string // where it is written
}

// tmpfilesDirs are where systemd-tmpfiles(8) looks, the first before the others.
var tmpfilesDirs = [...]string{"etc/tmpfiles.d", "run/tmpfiles.d", "usr/local/lib/tmpfiles.d", "usr/lib/tmpfiles.d", "lib/tmpfiles.d"}

// readRules reads all rules that are in force, in their order. A file hides those of
// the same name in later directories, also if it is empty, as a link to /dev/null is.
func readRules(root fs.FS) (rules []rule, err error) {
	from := map[string]string{}
	for _, dir := range tmpfilesDirs {
		entries, err := fs.ReadDir(root, dir)
		if err != nil {
			continue // most hosts have only some of them
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".conf") && from[e.Name()] == "" {
				from[e.Name()] = dir + "/" + e.Name()
			}
		}
	}
	var names []string
	for name := range from {
		names = append(names, name)
	}
	slices.Sort(names)
	var faults []error
	for _, name := range names {
		text, err := fs.ReadFile(root, from[name])
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for line := range strings.Lines(string(text)) {
			if r, ok := parseRule(line); ok {
				r.file = "/" + from[name]
				rules = append(rules, r)
			}
		}
	}
	return firstOfEach(rules), errors.Join(faults...)
}

// firstOfEach drops a rule for a path that an earlier one has already. Those that only
// adjust something, or remove, go beside others.
func firstOfEach(rules []rule) []rule {
	seen := map[string]bool{}
	return slices.DeleteFunc(rules, func(r rule) bool {
		if !strings.Contains("fdDeEvqQpLcbCxX", r.kind) {
			return false
		}
		again := seen[r.path]
		seen[r.path] = true
		return again
	})
}

// parseRule reads a line: type, path, mode, user, group, age, argument.
func parseRule(line string) (rule, bool) {
	f := fields(line, 6)
	if len(f) < 2 || strings.HasPrefix(f[0], "#") || f[0] == "" {
		return rule{}, false
	}
	p, ok := specifiers(f[1])
	if !ok || !strings.HasPrefix(p, "/") {
		return rule{}, false
	}
	r := rule{kind: f[0][:1], path: path.Clean(p), boot: strings.Contains(f[0][1:], "!")}
	if len(f) == 6 && f[5] != "-" && f[5] != "" {
		r.age = f[5]
	}
	return r, true
}

// fields splits off at most n words, which may be in quotes.
func fields(line string, n int) []string {
	var all []string
	for line = strings.TrimSpace(line); line != "" && len(all) < n; line = strings.TrimLeft(line, " \t") {
		var word strings.Builder
		quote := byte(0)
		i := 0
		for ; i < len(line); i++ {
			c := line[i]
			switch {
			case quote == 0 && (c == ' ' || c == '\t'):
			case c == '\\' && quote != '\'' && i+1 < len(line):
				i++
				word.WriteByte(line[i])
				continue
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
				continue
			case c == quote && quote != 0:
				quote = 0
				continue
			default:
				word.WriteByte(c)
				continue
			}
			break
		}
		all, line = append(all, word.String()), line[i:]
	}
	return all
}

// specifiers replaces those that are the same on each host; a rule with another one
// names no place that can be known.
func specifiers(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '%':
			b.WriteByte('%')
		case 'T':
			b.WriteString("/tmp")
		case 'V':
			b.WriteString("/var/tmp")
		case 't':
			b.WriteString("/run")
		case 'S':
			b.WriteString("/var/lib")
		case 'C':
			b.WriteString("/var/cache")
		case 'L':
			b.WriteString("/var/log")
		case 'h':
			b.WriteString("/root")
		case 'b', 'm', 'H', 'l', 'v': // of this boot, host or kernel
			b.WriteByte('*')
		default:
			return "", false
		}
	}
	return b.String(), true
}
