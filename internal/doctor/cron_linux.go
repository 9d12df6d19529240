package doctor

import (
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// checkCron compares the directory with the one that cron's jobs of the same user get:
// the default, unless a crontab says otherwise.
func checkCron(p Place) Result {
	found := systemSettings(os.DirFS("/"))
	// crontab(1) may read what is closed to the user.
	c := exec.Command("crontab", "-l")
	c.Env = append(os.Environ(), "LC_ALL=C")
	text, err := c.Output()
	if err == nil {
		found = append(found, settingsIn(string(text), "crontab -l")...)
	}
	def, err := lockdir.Default()
	if err != nil && p.Path == "" {
		return trouble(err)
	}
	if err != nil {
		def = ""
	}
	here := p.Path
	if here == "" {
		here = def
	} else if s, err := p.find(); err == nil {
		here = s.wanted() // a crontab has another working directory
	}
	return judgeCron(here, p.By, def, found, samePlace)
}

// judgeCron says whether the place here is cron's. def is "" where there is none.
func judgeCron(here, by, def string, found []setting, same func(a, b string) bool) Result {
	var agrees, differs []setting
	for _, s := range found {
		if same(s.value, here) {
			agrees = append(agrees, s)
		} else {
			differs = append(differs, s)
		}
	}
	r := Result{}
	switch {
	case len(differs) > 0:
		r = warn("let SOLE_DIR be the same in cron and in this shell",
			"SOLE_DIR=%s in %s: those jobs do not get the directory of this shell", cutPath(differs[0].value), differs[0].file)
	case same(here, def):
		r = ok("cron gets the same directory: it comes from the user database")
	case len(agrees) > 0:
		r = ok("cron gets the same directory: SOLE_DIR is set in %s", agrees[0].file)
	case def == "":
		r = warn(crontabLine(here), "cron has no directory for this user, who has no home; this shell has %s (%s)", cutPath(here), by)
	case by == "SOLE_DIR":
		r = warn(crontabLine(here), "SOLE_DIR is set in this shell and not in cron, which gets %s", cutPath(def))
	default:
		r = warn("give --dir in each line of the crontab too, or "+crontabLine(here),
			"cron gets %s unless it is told otherwise", cutPath(def))
	}
	for _, s := range found {
		r = r.with("SOLE_DIR in "+s.file, s.value)
	}
	return r.with("cron", def).with("here", here)
}

func crontabLine(dir string) string {
	return "put the line SOLE_DIR=" + cutPath(dir) + " above the jobs (crontab -e)"
}

// samePlace reports whether two paths lead to the same directory, or would.
func samePlace(a, b string) bool {
	var st, other unix.Stat_t
	if unix.Stat(a, &st) == nil && unix.Stat(b, &other) == nil {
		return st.Dev == other.Dev && st.Ino == other.Ino
	}
	return strings.TrimRight(a, "/") == strings.TrimRight(b, "/")
}
