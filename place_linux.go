package sole

import (
	"errors"
	"os"
	"sync"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/name"
)

// places remembers the directories that were walked. Only root and the user could
// have changed the way to them since, so it is enough to look at their ends again.
var places sync.Map // place → *lockdir.Dir

type place struct {
	path    string
	purpose lockdir.Purpose
}

func openDir(o options, purpose lockdir.Purpose) (*lockdir.Dir, error) {
	path := o.dir
	if path == "" {
		path = os.Getenv("SOLE_DIR")
	}
	if path == "" {
		var err error
		if path, err = defaultDir(); err != nil {
			return nil, fault(err)
		}
	}
	key := place{path, purpose}
	// A relative path means another directory after chdir.
	absolute := path[0] == '/'
	if d, ok := places.Load(key); ok && absolute && !d.(*lockdir.Dir).Changed() {
		return d.(*lockdir.Dir), nil
	}
	d, err := lockdir.Open(path, purpose)
	if err != nil {
		return nil, fault(err)
	}
	if absolute && !d.Missing() {
		places.Store(key, d)
	}
	return d, nil
}

var defaultDir = sync.OnceValues(lockdir.Default)

func checkName(n string) error { return fault(name.Check(n)) }

// fault turns the errors of the rooms below into those of this package.
func fault(err error) error {
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		return &UnsafeError{Path: unsafe.Path, Problem: unsafe.Problem, Remedy: unsafe.Remedy}
	}
	var bad *name.Error
	if errors.As(err, &bad) {
		return &NameError{Name: bad.Name, Reason: bad.Reason}
	}
	return err
}
