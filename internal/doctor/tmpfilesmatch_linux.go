package doctor

import (
	"path"
	"strings"
)

// sample is a lock file that stands for all: rules may be for the files themselves.
const sample = "/backup.lock"

// aged finds the rule by whose age lock files in the directory dir are removed. A rule
// for a path ends the reach of those for the directories above it, also if it has no age.
func aged(rules []rule, dir string) (rule, bool) {
	for at := dir + sample; ; at = path.Dir(at) {
		ends := false
		for _, r := range rules {
			if !r.is(at) {
				continue
			}
			if r.age != "" && strings.Contains("dDevqQC", r.kind) && at != dir+sample {
				return r, true
			}
			// X spares only the directory itself, and not what is in it.
			ends = ends || r.kind != "X" || at == dir+sample
		}
		if ends || at == "/" {
			return rule{}, false
		}
	}
}

// emptied finds the rule that removes lock files in dir when the host starts, whatever
// their age.
func emptied(rules []rule, dir string) (rule, bool) {
	for at := dir + sample; ; at = path.Dir(at) {
		for _, r := range rules {
			switch {
			case !r.is(at):
			case r.kind == "R", r.kind == "D" && at != dir+sample, r.kind == "r" && at == dir+sample:
				return r, true
			}
		}
		if at == "/" {
			return rule{}, false
		}
	}
}

// is reports whether the rule is for the path.
func (r rule) is(at string) bool {
	if r.path == at {
		return true
	}
	if !strings.Contains("exXrRzZtThHaAwm", r.kind) || !strings.ContainsAny(r.path, "*?[") {
		return false
	}
	match, err := path.Match(r.path, at)
	return err == nil && match
}
