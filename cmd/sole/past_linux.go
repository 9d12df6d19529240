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

// read calls visit for all records of a name, the oldest first.
func (p *past) read(n string, visit func(*history.Line)) (history.Found, error) {
	found, err := history.FilesIn(p.dir, n).Forward(visit)
	return found, p.fault(err)
}

// readBack is read from the newest one on, until visit returns false. Some may be there twice, see
// [history.Sort].
func (p *past) readBack(n string, visit func(*history.Line) bool) (history.Found, error) {
	found, err := history.FilesIn(p.dir, n).Backward(visit)
	return found, p.fault(err)
}

func (p *past) fault(err error) error {
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		return &sole.UnsafeError{Path: unsafe.Path, Problem: unsafe.Problem, Remedy: unsafe.Remedy}
	}
	return err
}
