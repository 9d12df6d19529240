package sole

import (
	"context"
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/control"
	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/pidfile"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
	"github.com/sole-run/sole/internal/record"
)

// Clean removes the lock files of the names that nobody holds, and returns these
// names. Their run numbers do not start anew. A start that meets Clean waits for it; a
// name that somebody waits for is left alone. What could not be removed is
// joined into the error. Histories stay, and are complete, unless the option [Forget] is given.
func Clean(opts ...Option) (removed []string, err error) {
	o := collect(opts)
	look, err := openDir(o, lockdir.Look)
	if err != nil || look.Missing() {
		return nil, err
	}
	dir, err := openDir(o, lockdir.Use)
	if err != nil {
		return nil, err
	}
	names, err := namesIn(dir)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, n := range names {
		if !o.forget {
			_ = settle(n, dir, dir, history.Limit) // the record that says so goes away; it can be read, since it is judged
		}
		gone, err := cleanOne(dir, n)
		if err != nil {
			faults = append(faults, err)
		}
		if gone {
			removed = append(removed, n)
		}
	}
	if o.forget {
		faults = append(faults, forget(dir))
	}
	return removed, errors.Join(faults...)
}

// forget removes the histories of names that have no lock file.
func forget(dir *lockdir.Dir) error {
	entries, err := os.ReadDir(dir.Path())
	faults := []error{err}
	for _, e := range entries {
		n, is := strings.CutSuffix(strings.TrimSuffix(e.Name(), history.OlderSuffix), lockdir.HistorySuffix)
		if !is || checkName(n) != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Lstat(dir.File(n), &st) != unix.ENOENT {
			continue // a start that comes now may lose the record of its end
		}
		if err := os.Remove(dir.Path() + "/" + e.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func cleanOne(dir *lockdir.Dir, name string) (bool, error) {
	// Look first: a held file must not be touched, and looking is never in the way.
	st, err := inspect(dir, name, nil)
	if err != nil || st.State == Held {
		return false, err
	}
	// The disk is waited for before the lock is taken, so that no start has to.
	if st.Run > 0 {
		if err := raiseFloor(dir, st.Run); err != nil {
			return false, err
		}
	}
	fd, err := unix.Open(dir.File(name), unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "open", Path: dir.File(name), Err: err}
	}
	defer unix.Close(fd)
	if queue.Any(fd) {
		return false, nil
	}
	got, err := flock.TryLock(fd, flock.Exclusive)
	if err != nil || !got {
		return false, err
	}
	defer flock.Unlock(fd)
	var f lockdir.File
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	f = lockdir.File{FD: fd, Path: dir.File(name), Dev: s.Dev, Ino: s.Ino}
	if !f.StillThere() {
		return false, nil
	}
	v, err := readNumbers(&f)
	if err != nil {
		return false, err
	}
	if errors.Is(v.headErr, record.ErrNewer) || errors.Is(v.recErr, record.ErrNewer) {
		return false, &os.PathError{Op: "read", Path: f.Path, Err: record.ErrNewer}
	}
	here, err := proc.Here()
	if err != nil {
		return false, err
	}
	if run, _ := v.lastRun(here.Boot); run > 0 {
		if err := raiseFloor(dir, run); err != nil {
			return false, err
		}
	}
	cleanBeside(dir, &f)
	// First, so that no seats' file outlives its lock file.
	if err := unix.Unlink(dir.Seats(name)); err != nil && err != unix.ENOENT {
		return false, &os.PathError{Op: "remove", Path: dir.Seats(name), Err: err}
	}
	if err := unix.Unlink(f.Path); err != nil {
		return false, &os.PathError{Op: "remove", Path: f.Path, Err: err}
	}
	return true, nil
}

// cleanBeside removes what a killed holder left beside its lock file, which is locked by
// now. What may be in use stays; it is in nobody's way.
func cleanBeside(dir *lockdir.Dir, f *lockdir.File) {
	name := lockdir.Name(f.Path)
	var st unix.Stat_t
	if unix.Lstat(dir.PidFile(name), &st) == nil {
		by := pidfile.Lock{Path: f.Path, Dev: f.Dev, Ino: f.Ino, Mark: record.HolderMark}
		if left, err := pidfile.Take(dir.PidFile(name), by); err == nil {
			_ = left.Remove()
		}
	}
	if unix.Lstat(dir.Socket(name), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK {
		ctx, cancel := context.WithTimeout(withoutEnd, control.Handshake)
		defer cancel()
		// It looks whether somebody answers, and replaces the file only if not.
		if l, err := control.Listen(ctx, control.At(dir.Socket(name)), ""); err == nil {
			_ = l.Close()
		}
	}
}
