package pidfile

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// paths are the files of one pid file, in a directory that was found fit.
type paths struct {
	file  string
	id    string // identity and guard
	spare string // a pid file on its way in or out; whoever holds the guard may have it
}

// locate judges the directory that the pid file is to be in. It is not made.
func locate(path string) (paths, error) {
	dir, base := filepath.Split(path)
	if path == "" || base == "" || base == "." || base == ".." {
		return paths{}, &os.PathError{Op: "open", Path: path, Err: unix.EISDIR}
	}
	if dir == "" {
		dir = "."
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return paths{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	d, err := lockdir.Open(dir, lockdir.Use)
	if err != nil {
		return paths{}, remedied(err, "name a pid file in a directory that only you and root can change")
	}
	at := d.Path() + "/"
	if d.Path() == "/" {
		at = "/"
	}
	return paths{file: at + base, id: at + "." + base + ".id", spare: at + "." + base + ".new"}, nil
}

const openFlags = unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// open opens a file that is there, and judges it as a lock file is judged.
func open(path string, flags int, st *unix.Stat_t) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, flags|openFlags, 0) })
	if err != nil {
		return -1, refused("open", path, err)
	}
	if err := lockdir.JudgeOpen(fd, path, st); err != nil {
		_ = unix.Close(fd)
		return -1, remedied(err, another)
	}
	return fd, nil
}

// refused says what is at the path, where the system says little.
func refused(op, path string, err error) error {
	if err == unix.ENOENT {
		return &os.PathError{Op: op, Path: path, Err: err}
	}
	return remedied(lockdir.Explain(path, err), another)
}

const another = "find out who put it there, and remove it, or name another pid file"

// remedied says what helps here: the place need not be that of the names.
func remedied(err error, remedy string) error {
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		unsafe.Remedy = remedy
	}
	return err
}

func stampOf(st *unix.Stat_t) stamp {
	return stamp{st.Dev, st.Ino, st.Mtim.Nano()}
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// readAll reads up to most bytes, and one more if there are more.
func readAll(fd int, path string, most int) ([]byte, error) {
	b := make([]byte, most+1)
	n, err := retry(func() (int, error) { return unix.Pread(fd, b, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return b[:n], nil
}

func writeAll(fd int, path string, b []byte) error {
	n, err := retry(func() (int, error) { return unix.Pwrite(fd, b, 0) })
	if err == nil && n < len(b) {
		err = unix.ENOSPC
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}
