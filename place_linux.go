package sole

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/name"
	"github.com/sole-run/sole/internal/pidfile"
)

// places remembers the directories that were walked. Only root and the user could
// have changed the way to them since, so it is enough to look at their ends again,
// and not each time: each locked file is compared with its whole path anyway.
var places struct {
	sync.Mutex
	known map[place]*knownDir
}

type place struct {
	path    string
	purpose lockdir.Purpose
}

type knownDir struct {
	dir    *lockdir.Dir
	looked time.Time
}

// lookAgainAfter is how long a directory is taken for unchanged.
const lookAgainAfter = time.Second

// maxPlaces bounds the descriptors that are kept, one a directory.
const maxPlaces = 16

// openDirAnew is openDir for when the directory turned out to have changed.
func openDirAnew(o options, purpose lockdir.Purpose) (*lockdir.Dir, error) {
	places.Lock()
	for _, k := range places.known {
		k.looked = time.Time{}
	}
	places.Unlock()
	return openDir(o, purpose)
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
	if path[0] != '/' { // it means another directory after chdir
		d, err := lockdir.Open(path, purpose)
		return d, fault(err)
	}
	places.Lock()
	defer places.Unlock()
	key, now := place{path, purpose}, time.Now()
	if k := places.known[key]; k != nil {
		if now.Sub(k.looked) < lookAgainAfter {
			return k.dir, nil
		}
		if !k.dir.Changed() {
			k.looked = now
			return k.dir, nil
		}
		// A call that is under way may be using its descriptor: it stays open.
		delete(places.known, key)
	}
	d, err := lockdir.Open(path, purpose)
	if err != nil {
		return nil, fault(err)
	}
	if !d.Missing() && len(places.known) < maxPlaces {
		d.Pin()
		if places.known == nil {
			places.known = make(map[place]*knownDir)
		}
		places.known[key] = &knownDir{d, now}
	}
	return d, nil
}

var defaultDir = sync.OnceValues(lockdir.Default)

func checkName(n string) error { return fault(name.Check(n)) }

// fault turns the errors of the rooms below into those of this package.
func fault(err error) error {
	if err == nil {
		return nil // and no memory for the targets below
	}
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		return &UnsafeError{Path: unsafe.Path, Problem: unsafe.Problem, Remedy: unsafe.Remedy}
	}
	var pid *pidfile.BadError
	if errors.As(err, &pid) {
		return &PidFileError{Path: pid.Path, Problem: pid.Problem}
	}
	var lost *pidfile.LostError
	if errors.As(err, &lost) {
		return &PidFileError{Path: lost.Path, Problem: lost.Problem, Lost: true}
	}
	var bad *name.Error
	if errors.As(err, &bad) {
		return &NameError{Name: bad.Name, Reason: bad.Reason}
	}
	return err
}
