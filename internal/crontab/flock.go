package crontab

import (
	"strconv"
	"strings"
)

// flockLongs are the long options of flock, and the short ones that mean the same.
const flockLongs = " shared:s exclusive:x unlock:u nonblock:n nb:n nonblocking:n timeout:w wait:w " +
	"conflict-exit-code:E close:o command:c no-fork:F verbose:v "

// fromFlock reads flock(1) with a file and a command. -x is what sole does, and -o has no
// use: a daemon that is left behind does not keep a name.
func fromFlock(words []token) (*translation, string) {
	options, n, ok := getopt(words[1:], "sexnoFuw:E:c:", flockLongs)
	if !ok {
		return nil, "its options are not all known here"
	}
	t := &translation{busy: "1"}
	wait, limit, shared, exec, closes := true, "", false, false, false
	for _, o := range options {
		switch o.letter {
		case 's', 'e', 'x':
			shared = o.letter == 's'
		case 'n':
			wait = false
		case 'w':
			limit = o.value
		case 'E':
			t.flags, t.busy = []string{"-E", o.value}, ""
			if code, err := strconv.ParseUint(o.value, 10, 8); err != nil || code > 255 {
				return nil, "its exit code is none from 0 to 255"
			}
		case 'v':
			t.note = "what --verbose said is lost"
		case 'o':
			closes = true
		case 'F':
			exec = true
		case 'u':
			return nil, "-u " + noLock
		case 'c':
			return nil, "its -c stands before the file"
		}
	}
	if exec && closes {
		return nil, "flock refuses -F with -o"
	}
	if shared {
		t.flags = append(t.flags, "--shared")
	}
	if exec {
		t.flags = append(t.flags, "--exec")
	}
	if why := t.waits(wait, limit); why != "" {
		return nil, why
	}
	return t.flockFile(words, n+1)
}

// waits adds how long to wait.
func (t *translation) waits(wait bool, limit string) string {
	switch {
	case !wait:
	case limit == "":
		t.flags = append(t.flags, "--wait")
	default:
		if f, err := strconv.ParseFloat(limit, 64); err != nil || f < 0 || f > 1e9 || !isDecimal(limit) {
			return "its time limit is no number"
		}
		t.flags = append(t.flags, "-w", limit)
	}
	return ""
}

func isDecimal(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

// flockFile reads file and command, which begin at word n.
func (t *translation) flockFile(words []token, n int) (*translation, string) {
	switch rest := words[n:]; {
	case len(rest) < 2:
		return nil, "it locks a descriptor that something else has opened"
	case rest[1].text == "-c" || rest[1].text == "--command":
		if len(rest) != 3 {
			return nil, "-c has more or less than one word behind it"
		}
		t.shell, t.command = true, n+2
	case rest[1].text[0] == '-':
		return nil, "it has options behind the file"
	default:
		t.command = n + 1
	}
	return t.file(words[n])
}

// file takes the word that names the lock file.
func (t *translation) file(w token) (*translation, string) {
	v := value(w.text)
	switch {
	case v == "":
		return nil, "its lock file has an empty name"
	case v == "$0":
		return nil, "it locks the script that it is part of"
	case v[0] == '-':
		return nil, "its lock file looks like an option"
	case !literal(w.text) && (v == w.text && !strings.Contains(v, "/") || strings.ContainsAny(w.text, "*?[")):
		return nil, "what the shell makes of its lock file is not known"
	}
	t.lock = w.text
	return t, ""
}
