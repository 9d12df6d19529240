package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/name"
)

// past is the histories in a directory.
type past struct{ dir *lockdir.Dir }

// openPast opens the directory that --dir, SOLE_DIR or the user have.
func openPast(dir string) (*past, error) {
	file, err := sole.Path("x", sole.Dir(dir))
	if err != nil {
		return nil, err
	}
	d, err := lockdir.Open(filepath.Dir(file), lockdir.Look)
	if err != nil {
		return nil, err
	}
	return &past{d}, nil
}

func (p *past) path() string { return p.dir.Path() }

// names are those that have a history, in their order.
func (p *past) names() ([]string, error) {
	if p.dir.Missing() {
		return nil, nil
	}
	d, err := os.Open(p.dir.Path())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	files, err := d.Readdirnames(-1)
	var all []string
	for _, f := range files {
		n, is := strings.CutSuffix(strings.TrimSuffix(f, ".1"), lockdir.HistorySuffix)
		if is && name.Check(n) == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// rotations is how many times a file may become the older one while it is read. It takes some ten
// thousand runs each time.
const rotations = 10

// read gives all records of a name, the oldest first, to what begin returns. If the files are changed for
// one another meanwhile, records would be missing: it begins again.
func (p *past) read(n string, begin func() func(*history.Line)) (found history.Found, err error) {
	files := history.FilesIn(p.dir, n)
	for range rotations {
		before, _ := os.Lstat(files.Older)
		found, err = files.Forward(begin())
		after, _ := os.Lstat(files.Older)
		if err != nil || before == nil && after == nil || before != nil && after != nil && os.SameFile(before, after) {
			break
		}
	}
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		err = &sole.UnsafeError{Path: unsafe.Path, Problem: unsafe.Problem, Remedy: unsafe.Remedy}
	}
	return found, err
}
