package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/recent"
	"github.com/sole-run/sole/internal/top"
)

// source is where the screen gets what it shows.
type source struct {
	path    string // of the directory
	recents recent.Reader
}

// newSource finds the directory. The source is there also if there is an error, to explain it.
func newSource(dir string) (*source, error) {
	s := &source{}
	file, err := sole.Path("x", sole.Dir(dir))
	s.path = filepath.Dir(file)
	return s, err
}

// Look looks at all names. Like sole.List it takes no lock.
func (s *source) Look(free bool) top.Snapshot {
	began := time.Now()
	list, err := sole.List(sole.Dir(s.path))
	snap := top.Snapshot{At: time.Now(), Err: err}
	dir, dirErr := lockdir.Open(s.path, lockdir.Look)
	names := make([]string, len(list))
	for i, st := range list {
		names[i] = st.Name
		n := top.Name{Status: st}
		if st.State != sole.Held {
			snap.Free++
			if !free {
				continue
			}
		}
		if dirErr == nil {
			n.Recent = s.recents.Of(dir, st.Name)
		}
		snap.Names = append(snap.Names, n)
	}
	s.recents.Keep(names)
	snap.Took = time.Since(began)
	return snap
}

func (s *source) Inspect(name string) (sole.Status, error) {
	return sole.Inspect(name, sole.Dir(s.path))
}

// Log reads the end of a history.
func (s *source) Log(name string, n int) ([]history.Entry, error) {
	dir, err := lockdir.Open(s.path, lockdir.Look)
	if err != nil {
		return nil, err
	}
	var lines []history.Line
	_, err = history.FilesIn(dir, name).Backward(func(l *history.Line) bool {
		lines = append(lines, *l)
		return len(lines) < n
	})
	var entries []history.Entry
	for _, l := range history.Sort(lines) {
		if e, ok := l.Entry(); ok {
			entries = append(entries, e)
		}
	}
	return entries, err
}

func (s *source) Stop(ctx context.Context, seen sole.Status, grace time.Duration) (bool, error) {
	// Where the run has ended already Stop would say that all is as it should be, which it is.
	return sole.Stop(ctx, seen.Name, grace, sole.Dir(s.path), sole.OnlyRun(seen))
}

func (s *source) Signal(seen sole.Status, sig syscall.Signal) error {
	return sole.Signal(seen.Name, sig, sole.Dir(s.path), sole.OnlyRun(seen))
}

// Explain says an error in one line.
func (s *source) Explain(err error) string {
	switch {
	case errors.Is(err, sole.ErrFree), errors.Is(err, proc.ErrGone):
		return "that run has ended"
	case errors.Is(err, syscall.ETIMEDOUT):
		return "still held after SIGKILL"
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.Is(err, syscall.EPERM):
		return "you may not signal it: act as its user, or as root"
	}
	first, rest, more := strings.Cut(err.Error(), "\n")
	if more {
		first += "; and " + strings.ReplaceAll(rest, "\n", "; ")
	}
	return first
}
