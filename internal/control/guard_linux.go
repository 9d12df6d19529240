package control

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
)

// guardFile is a locked file that keeps other starts out while one looks and binds.
type guardFile struct{ fd int }

// lockGuard waits for the guard in the order of arrival. If ctx's deadline passes, another
// start has it and does not go on: the error is a *BusyError.
func lockGuard(ctx context.Context, path string) (guardFile, error) {
	fd, err := openGuard(path)
	if err != nil {
		return guardFile{}, err
	}
	got, err := flock.TryLock(fd, flock.Exclusive)
	if err == nil && !got {
		err = flock.Lock(ctx, fd, flock.Exclusive)
	}
	if err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, context.DeadlineExceeded) {
			err = &BusyError{Address: path, Err: err}
		}
		return guardFile{}, err
	}
	return guardFile{fd}, nil
}

func (g guardFile) unlock() { _ = unix.Close(g.fd) }

// openGuard opens the file, which is never removed, so that all lock the same one.
func openGuard(path string) (int, error) {
	const flags = unix.O_RDWR | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY
	for {
		fd, err := unix.Open(path, flags, 0)
		if err == unix.ENOENT {
			fd, err = unix.Open(path, flags|unix.O_CREAT|unix.O_EXCL, 0o600)
		}
		switch err {
		case nil:
			if err := judgeGuard(fd, path); err != nil {
				_ = unix.Close(fd)
				return -1, err
			}
			return fd, nil
		case unix.EEXIST, unix.EINTR:
		default:
			return -1, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

func judgeGuard(fd int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "fstat", Path: path, Err: err}
	}
	owner := Peer{UID: int(st.Uid), GID: int(st.Gid)}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return &PlaceError{path, "is not a regular file"}
	case !owner.Trusted():
		return &StrangerError{path, owner}
	case st.Nlink > 1 || st.Mode&0o022 != 0:
		return &PlaceError{path, "has other links or can be written by others"}
	}
	return nil
}
