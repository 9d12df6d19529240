package sole

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
)

// lockFiles takes the files of the File option, in order. On an error l is released.
func (a *attempt) lockFiles(l *Lock) (*Lock, error) {
	for _, file := range a.o.files {
		fd, err := a.lockFile(file)
		if err != nil {
			l.giveBack()
			return nil, err
		}
		l.others = append(l.others, fd)
	}
	return l, nil
}

func (a *attempt) lockFile(file foreignFile) (int, error) {
	for range 100 {
		fd, writable, err := file.open(a.shares())
		if err != nil {
			return -1, fault(err)
		}
		err = a.lockForeign(fd, writable, file.path)
		if err == nil && sameFile(fd, file.path) {
			return fd, nil
		}
		_ = unix.Close(fd)
		if err != nil {
			return -1, err
		}
	}
	return -1, &os.PathError{Op: "lock", Path: file.path, Err: unix.ESTALE}
}

// lockForeign takes both locks that there are, so that users of either take part: first
// flock(2), then fcntl(2) on the whole file. The latter must be shared where fd is not open for
// writing. That excludes exclusive ones all the same, and flock(2) those who have the same.
func (a *attempt) lockForeign(fd int, writable bool, path string) error {
	err := a.lockEither(fd, path, byFlock, a.kind())
	if err != nil || !hasRange(fd, path, a.dir) {
		return err
	}
	kind := a.kind()
	if !writable {
		kind = flock.Shared
	}
	err = a.lockEither(fd, path, byRange, kind)
	if errors.Is(err, flock.ErrMarks) { // nobody can have one there
		return nil
	}
	return err
}

// way is one of the two ways to lock a file, which know nothing of each other.
type way struct {
	try    func(fd int, kind flock.Kind) (bool, error)
	wait   func(ctx context.Context, fd int, kind flock.Kind) error
	holder func(fd int) Status
}

var (
	byFlock = way{flock.TryLock, flock.Lock, flockHolder}
	byRange = way{flock.TryRange, flock.LockRange, rangeHolder}
)

// lockEither takes one of the two locks, and waits for it if that is asked for.
func (a *attempt) lockEither(fd int, path string, w way, kind flock.Kind) error {
	got, err := w.try(fd, kind)
	if err != nil || got {
		return err
	}
	if a.ctx != nil {
		err = w.wait(a.ctx, fd, kind)
		if err == nil || a.ctx.Err() == nil {
			return err
		}
	}
	return &BusyError{Name: a.name, File: path, Holder: w.holder(fd), Err: cause(a.ctx)}
}

// hasRange reports whether the file is to be locked by fcntl(2) too. A lock file of sole's is
// not: its marks are such locks. On SMB either lock is the server's one, which may refuse it to
// whoever has it already.
func hasRange(fd int, path string, dir *lockdir.Dir) bool {
	const header = "sole-lock "
	var b [len(header)]byte
	if n, err := unix.Pread(fd, b[:], 0); err == nil && string(b[:n]) == header || sameFile(fd, dir.Path()+"/"+filepath.Base(path)) {
		return false
	}
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return true
	}
	switch lockdir.Odd(int64(st.Type)) {
	case "SMB", "SMB2", "CIFS":
		return false
	}
	return true
}

func cause(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	return ctx.Err()
}

// sameFile reports whether path, links followed, still leads to the open file.
func sameFile(fd int, path string) bool {
	var open, now unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Stat(path, &now) == nil &&
		open.Dev == now.Dev && open.Ino == now.Ino
}

// flockHolder is who holds the flock(2) of fd's file, as far as the kernel tells.
func flockHolder(fd int) Status {
	st := Status{State: Held}
	k, loose, ok := keyOf(fd)
	if !ok {
		return st
	}
	for _, pid := range locktable.Holders(k, loose) {
		return ofProcess(st, pid)
	}
	if e, err := lockEntry(k, loose); err == nil && e != nil {
		for _, pid := range e.Holders {
			if pid > 0 {
				return ofProcess(st, pid)
			}
		}
	}
	return st
}

// rangeHolder is the same of the fcntl(2) lock.
func rangeHolder(fd int) Status {
	st := Status{State: Held}
	if k, loose, ok := keyOf(fd); ok {
		for _, pid := range locktable.RangeHolders(k, loose) {
			return ofProcess(st, pid)
		}
	}
	return st
}

func keyOf(fd int) (k locktable.Key, loose, ok bool) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return k, false, false
	}
	return locktable.KeyOf(st.Dev, st.Ino), locktable.Loose(fd), true
}
