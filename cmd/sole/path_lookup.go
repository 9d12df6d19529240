package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lookPath finds the program as execvp(3) does: a word with a slash is a path, other
// words are looked for in PATH, where an empty entry is the working directory. Unlike
// os/exec it tells a program that may not be run from one that is not there.
func lookPath(word string) (string, error) {
	if strings.Contains(word, "/") {
		return word, runnable(word, word)
	}
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = "/bin:/usr/bin" // what the C library uses then
	}
	var denied error
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + word
		err := runnable(file, word)
		if err == nil {
			return file, nil
		}
		var f *failure
		if errors.As(err, &f) && f.code == exitNotExec {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", notFound(word)
}

// runnable reports whether file can be executed by this user.
func runnable(file, word string) error {
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return notFound(word)
	case err != nil:
		return &failure{exitNotExec, "cannot run " + shorten(file) + ": " + errors.Unwrap(err).Error(), ""}
	case st.IsDir():
		return &failure{exitNotExec, "cannot run " + file + ": it is a directory", ""}
	case !mayExecute(file):
		return &failure{exitNotExec, "cannot run " + file + ": it is not executable", "chmod +x " + file}
	}
	return nil
}

func notFound(word string) error {
	return &failure{exitNotFound, "there is no command " + shorten(word), "give its whole path; cron has a short PATH"}
}

func dirOf(path string) string { return filepath.Dir(path) }
