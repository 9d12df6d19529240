package crontab

import "strings"

// wrapper is a program that starts another one, which its arguments name.
type wrapper struct {
	values   string // the short options that take a value
	longs    string // the long options that take one in a word of its own
	operands int    // how many words come before the command
	assigns  bool   // NAME=value may come before it
}

// wrapperNamed tells how a program starts another one.
func wrapperNamed(name string) (wrapper, bool) {
	switch name {
	case "chpst":
		return wrapper{values: "uUbe/nlLmdopfcrt"}, true
	case "chroot":
		return wrapper{longs: " --userspec --groups ", operands: 1}, true
	case "chronic", "command", "cronic", "eatmydata", "nohup", "setsid", "unbuffer":
		return wrapper{}, true
	case "chrt":
		return wrapper{values: "TPD", operands: 1}, true
	case "cpulimit":
		return wrapper{values: "lpPe"}, true
	case "doas":
		return wrapper{values: "uC"}, true
	case "env":
		return wrapper{values: "uCS", longs: " --unset --chdir ", assigns: true}, true
	case "envdir", "gosu", "setuidgid", "taskset":
		return wrapper{operands: 1}, true
	case "exec":
		return wrapper{values: "a"}, true
	case "ionice":
		return wrapper{values: "cn", longs: " --class --classdata "}, true
	case "nice":
		return wrapper{values: "n", longs: " --adjustment "}, true
	case "runuser":
		return wrapper{values: "ugG"}, true
	case "schedtool":
		return wrapper{values: "nea"}, true
	case "stdbuf":
		return wrapper{values: "ioe"}, true
	case "sudo":
		return wrapper{values: "ugpChrtTRDU", longs: " --user --group ", assigns: true}, true
	case "systemd-cat":
		return wrapper{values: "tp", longs: " --identifier --priority "}, true
	case "time":
		return wrapper{values: "fo"}, true
	case "timeout":
		return wrapper{values: "ks", longs: " --kill-after --signal ", operands: 1}, true
	case "xvfb-run":
		return wrapper{values: "efnpsw"}, true
	}
	return wrapper{}, false
}

// program is the index of the word that the wrappers before it start; len(words) if there
// is none.
func program(words []token) int {
	i := 0
	for i < len(words) {
		w, ok := wrapperNamed(base(value(words[i].text)))
		if !ok {
			return i
		}
		i = w.skip(words, i+1)
	}
	return i
}

// skip moves from the word behind the wrapper to the command.
func (w wrapper) skip(words []token, i int) int {
	for i < len(words) {
		v := value(words[i].text)
		switch {
		case v == "--":
			i++
			return min(i+w.operands, len(words))
		case strings.HasPrefix(v, "--"):
			i++
			if among(v, w.longs) {
				i++
			}
		case len(v) > 1 && v[0] == '-':
			i++
			if strings.IndexByte(w.values, v[len(v)-1]) >= 0 && !strings.ContainsAny(v[1:len(v)-1], w.values) {
				i++
			}
		case w.assigns && isAssignment(v):
			i++
		default:
			return min(i+w.operands, len(words))
		}
	}
	return len(words)
}

// quietWrappers are those behind which a program is looked for in the same PATH.
const quietWrappers = " nice ionice timeout chronic cronic nohup setsid stdbuf exec time eatmydata unbuffer chrt taskset "
