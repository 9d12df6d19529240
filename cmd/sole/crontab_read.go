package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is where a crontab comes from: a file, "-" for standard input, or crontab(1).
type source struct{ file, user string }

// maxCrontab is more than any crontab has.
const maxCrontab = 2 << 20

func (s source) String() string {
	switch {
	case s.file == "-":
		return "standard input"
	case s.file != "":
		return s.file
	case s.user != "":
		return "the crontab of " + s.user
	}
	return "your crontab"
}

// isSystem guesses from the path whether jobs have a user.
func (s source) isSystem() bool {
	path, err := filepath.Abs(s.file)
	if s.file == "" || s.file == "-" || err != nil {
		return false
	}
	return path == "/etc/crontab" || filepath.Base(filepath.Dir(path)) == "cron.d"
}

func (s source) read() (string, error) {
	if s.file == "" {
		return s.list()
	}
	in := os.Stdin
	if s.file != "-" {
		file, err := os.Open(s.file)
		if err != nil {
			return "", s.failed(err)
		}
		defer file.Close()
		in = file
	}
	var text bytes.Buffer
	n, err := io.Copy(&text, io.LimitReader(in, maxCrontab+1))
	switch {
	case err != nil:
		return "", s.failed(err)
	case n > maxCrontab:
		return "", s.failed(errors.New("it is larger than 2 MiB"))
	}
	return text.String(), nil
}

func (s source) failed(err error) error {
	code := exitOS
	if errors.Is(err, fs.ErrPermission) {
		code = exitNotAllowed
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return &failure{code, fmt.Sprintf("crontab: cannot read %s: %v", s, err), ""}
}

// list asks crontab(1), which alone may read the crontabs of users.
func (s source) list() (string, error) {
	args := []string{"-l"}
	if s.user != "" {
		args = []string{"-u", s.user, "-l"}
	}
	c := exec.Command("crontab", args...)
	var said bytes.Buffer
	c.Stderr = &said
	text, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", &failure{exitOS, "crontab: there is no program crontab here to ask for " + s.String(), "name a FILE"}
	}
	if why := strings.TrimSpace(said.String()); err != nil && why != "" {
		err = errors.New(shorten(why))
	}
	if err != nil {
		return "", &failure{exitOS, fmt.Sprintf("crontab: cannot read %s: %v", s, err), "name a FILE, or - for standard input"}
	}
	return string(text), nil
}
