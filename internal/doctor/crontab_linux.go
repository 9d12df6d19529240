package doctor

import (
	"io/fs"
	"strings"
)

// setting is a value of SOLE_DIR that somebody wrote down for cron.
type setting struct {
	value string
	file  string
}

const variable = "SOLE_DIR"

// settingsIn finds the lines that set the variable in a crontab(5) or in
// /etc/environment: NAME = VALUE, where the value may be in quotes.
func settingsIn(text, file string) (found []setting) {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimPrefix(strings.TrimSpace(key), "export ")
		if !ok || strings.Trim(strings.TrimSpace(key), `"'`) != variable {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		if value != "" {
			found = append(found, setting{value, file})
		}
	}
	return found
}

// systemSettings are those of the whole host. What cannot be read is left out.
func systemSettings(root fs.FS) (found []setting) {
	files := []string{"etc/environment", "etc/crontab"}
	if more, err := fs.ReadDir(root, "etc/cron.d"); err == nil {
		for _, e := range more {
			files = append(files, "etc/cron.d/"+e.Name())
		}
	}
	for _, file := range files {
		if text, err := fs.ReadFile(root, file); err == nil {
			found = append(found, settingsIn(string(text), "/"+file)...)
		}
	}
	return found
}
