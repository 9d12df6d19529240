package sole

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/locktable"
)

// lockFiles takes the files of the File option, in order. On an error l is released.
func (a *attempt) lockFiles(l *Lock) (*Lock, error) {
	for _, path := range a.o.files {
		fd, err := a.lockFile(path)
		if err != nil {
			_ = l.Release()
			return nil, err
		}
		l.others = append(l.others, fd)
	}
	return l, nil
}

func (a *attempt) lockFile(path string) (int, error) {
	for range 100 {
		fd, err := openForeign(path)
		if err != nil {
			return -1, fault(err)
		}
		err = a.lockForeign(fd, path)
		if err == nil && sameFile(fd, path) {
			return fd, nil
		}
		_ = unix.Close(fd)
		if err != nil {
			return -1, err
		}
	}
	return -1, &os.PathError{Op: "lock", Path: path, Err: unix.ESTALE}
}

func (a *attempt) lockForeign(fd int, path string) error {
	got, err := flock.TryLock(fd, a.kind())
	if err != nil || got {
		return err
	}
	if a.ctx != nil {
		err = flock.Lock(a.ctx, fd, a.kind())
		if err == nil || a.ctx.Err() == nil {
			return err
		}
	}
	return &BusyError{Name: a.name, File: path, Holder: foreignHolder(fd), Err: cause(a.ctx)}
}

func cause(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	return ctx.Err()
}

// openForeign opens a file that others lock too. It reads nothing and writes
// nothing, so it need not belong to anybody in particular.
func openForeign(path string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	if path == "" {
		return -1, &os.PathError{Op: "open", Path: path, Err: unix.ENOENT}
	}
	var st unix.Stat_t
	// Opening a device or a FIFO can do something; looking at it cannot.
	if err := unix.Stat(path, &st); err == nil {
		if err := judgeForeign(path, st.Mode); err != nil {
			return -1, err
		}
	}
	fd, err := unix.Open(path, flags, 0)
	if err == unix.ENOENT {
		// O_EXCL, so that a link whose target is missing makes no file there.
		fd, err = unix.Open(path, flags|unix.O_CREAT|unix.O_EXCL, 0o666)
		if err == unix.EEXIST {
			if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
				return -1, &UnsafeError{Path: path, Problem: "is a symbolic link to a file that does not exist"}
			}
			fd, err = unix.Open(path, flags, 0)
		}
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = judgeForeign(path, st.Mode)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func judgeForeign(path string, mode uint32) error {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
		return nil
	}
	return &UnsafeError{Path: path, Problem: "is neither a file nor a directory"}
}

// sameFile reports whether path, links followed, still leads to the open file.
func sameFile(fd int, path string) bool {
	var open, now unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Stat(path, &now) == nil &&
		open.Dev == now.Dev && open.Ino == now.Ino
}

// foreignHolder is who holds the lock on fd, as far as the kernel tells.
func foreignHolder(fd int) Status {
	st := Status{State: Held}
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil {
		return st
	}
	k, loose := locktable.KeyOf(s.Dev, s.Ino), locktable.Loose(fd)
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
