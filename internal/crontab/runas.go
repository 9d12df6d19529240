package crontab

import "strings"

// runsAs is the user as whom sole would run in this line.
func (l *Line) runsAs() string {
	user := l.User
	if l.plan.user != "" {
		user = l.plan.user
	}
	user, _, _ = strings.Cut(user, ":") // a group
	user, _, _ = strings.Cut(user, "/") // a login class
	return user
}

// switchesTo is the user that wrappers switch to, empty if they do not.
func switchesTo(words []token) string {
	user, program := "", ""
	for i, w := range words {
		v := value(w.text)
		if among(base(v), " sudo doas chpst runuser setuidgid gosu su ") {
			program, user = base(v), "root"
			if program == "chpst" || program == "doas" {
				user = ""
			}
			continue
		}
		if program == "" {
			continue
		}
		next := ""
		if i+1 < len(words) {
			next = value(words[i+1].text)
		}
		switch name, is := strings.CutPrefix(v, "--user="); {
		case among(program, " setuidgid gosu "):
			user, program = v, ""
		case is:
			user, program = name, ""
		case v == "--user", v == "-u":
			user, program = next, ""
		case strings.HasPrefix(v, "-u"):
			user, program = v[2:], ""
		}
	}
	return user
}
