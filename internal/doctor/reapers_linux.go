package doctor

import (
	"io/fs"
	"path"
	"strings"
)

// reaper is a program that removes old files, and what it was told.
type reaper struct {
	file string
	dir  string // which of its directories it is
	age  string
}

// reapers finds tmpreaper(8) and tmpwatch(8) where they would remove files in dir.
func reapers(root fs.FS, dir string) (reaper, bool) {
	if r, ok := tmpreaper(root, dir); ok {
		return r, true
	}
	for _, file := range []string{"etc/cron.daily/tmpwatch", "etc/cron.hourly/tmpwatch", "etc/cron.d/tmpwatch"} {
		if text, err := fs.ReadFile(root, file); err == nil {
			if r, ok := tmpwatch(string(text), dir); ok {
				r.file = "/" + file
				return r, true
			}
		}
	}
	return reaper{}, false
}

// tmpreaper reads what Debian's daily job is told by /etc/tmpreaper.conf.
func tmpreaper(root fs.FS, dir string) (reaper, bool) {
	if _, err := fs.Stat(root, "etc/cron.daily/tmpreaper"); err != nil {
		return reaper{}, false
	}
	const file = "etc/tmpreaper.conf"
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return reaper{}, false
	}
	set := map[string]string{"TMPREAPER_DIRS": "/tmp/.", "TMPREAPER_TIME": "7d"}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			set[key] = strings.Trim(value, `"'`)
		}
	}
	// As it is installed it only says what it would do.
	if set["SHOWWARNING"] == "true" {
		return reaper{}, false
	}
	for _, d := range strings.Fields(set["TMPREAPER_DIRS"]) {
		if within(dir, d) && !protected(set["TMPREAPER_PROTECT_EXTRA"], dir, d) {
			return reaper{"/" + file, path.Clean(d), set["TMPREAPER_TIME"]}, true
		}
	}
	return reaper{}, false
}

// protected reports whether one of the patterns, which may be relative to top, spares
// lock files in dir.
func protected(patterns, dir, top string) bool {
	for _, p := range strings.Fields(patterns) {
		if !strings.HasPrefix(p, "/") {
			p = path.Join(top, p)
		}
		if ok, err := path.Match(p, dir+sample); ok && err == nil {
			return true
		}
	}
	return false
}

// tmpwatch reads the calls in a script: flags, a time in hours, directories.
func tmpwatch(script, dir string) (reaper, bool) {
	script = strings.ReplaceAll(script, "\\\n", " ")
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		i := strings.Index(line, "tmpwatch ")
		if i < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		age := ""
		for _, word := range strings.Fields(line[i:])[1:] {
			word = strings.Trim(word, `"'`)
			switch {
			case age == "" && word != "" && word[0] >= '0' && word[0] <= '9':
				age = word
			case age != "" && strings.HasPrefix(word, "/") && within(dir, word):
				return reaper{"", path.Clean(word), age}, true
			}
		}
	}
	return reaper{}, false
}

// within reports whether dir is top or below it.
func within(dir, top string) bool {
	top = path.Clean(top)
	return dir == top || strings.HasPrefix(dir, strings.TrimSuffix(top, "/")+"/")
}
