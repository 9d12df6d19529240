package sole

import (
	"errors"
	"os"
	"slices"
	"strconv"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/name"
)

// List says what is known of every name in the directory, in the order of the names.
// Like [Inspect] it takes no lock. It is not a picture of one moment: each name is
// looked at by itself. What it may not look at is left out, and joined into the error.
func List(opts ...Option) ([]Status, error) {
	dir, err := openDir(collect(opts), lockdir.Look)
	if err != nil || dir.Missing() {
		return nil, err
	}
	names, err := namesIn(dir)
	if err != nil {
		return nil, err
	}
	table, err := locktable.Read()
	if err != nil {
		return nil, err
	}
	var faults []error
	list := make([]Status, 0, len(names))
	for _, n := range names {
		st, err := inspect(dir, n, table)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, st)
	}
	return list, errors.Join(faults...)
}

// namesIn returns the names that have a lock file in dir, sorted.
func namesIn(dir *lockdir.Dir) ([]string, error) {
	d, err := os.Open(dir.Path())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	files, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		if n := lockdir.Name(file); name.Check(n) == nil {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Path is where the name's lock file is or would be.
func Path(name string, opts ...Option) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	dir, err := openDir(collect(opts), lockdir.Look)
	if err != nil {
		return "", err
	}
	return dir.File(name), nil
}

func itoa(n int) string { return strconv.Itoa(n) }
