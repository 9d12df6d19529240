package doctor

import (
	"strconv"
	"strings"
)

// mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id      int
	root    string   // which part of the filesystem is mounted
	point   string   // where
	options []string // of this mount
	kind    string
	source  string
	super   []string // options of the filesystem
}

// parseMount reads one line.
func parseMount(line string) (mount, bool) {
	before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
	f, g := strings.Split(before, " "), strings.Split(after, " ")
	if !ok || len(f) < 6 || len(g) < 3 {
		return mount{}, false
	}
	id, err := strconv.Atoi(f[0])
	if err != nil {
		return mount{}, false
	}
	return mount{
		id: id, root: unescape(f[3]), point: unescape(f[4]), options: strings.Split(f[5], ","),
		kind: unescape(g[0]), source: unescape(g[1]), super: strings.Split(strings.Join(g[2:], " "), ","),
	}, true
}

// mountByID finds the line of the mount in the text of mountinfo.
func mountByID(text string, id int) (mount, bool) {
	for line := range strings.Lines(text) {
		if m, ok := parseMount(line); ok && m.id == id {
			return m, true
		}
	}
	return mount{}, false
}

// unescape undoes the kernel's \040 and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// has reports whether the mount has the option, in either list.
func (m mount) has(option string) bool {
	_, ok := m.option(option)
	return ok
}

// option returns the value of an option, "" for one without a value.
func (m mount) option(name string) (string, bool) {
	for _, list := range [][]string{m.options, m.super} {
		for _, o := range list {
			if key, value, _ := strings.Cut(o, "="); key == name {
				return unescape(value), true
			}
		}
	}
	return "", false
}

// first returns the first of the options that the mount has, as it is written.
func (m mount) first(names ...string) string {
	for _, name := range names {
		if v, ok := m.option(name); ok && v != "" {
			return name + "=" + v
		} else if ok {
			return name
		}
	}
	return ""
}
