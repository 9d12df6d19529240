package sole

import (
	"os"

	"golang.org/x/sys/unix"
)

const foreignFlags = unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY

// open opens a file that others lock too, and makes it if it is missing. Nothing is read
// or written, so the file need not belong to anybody in particular. It is opened for writing where
// that is possible and of use: the exclusive fcntl(2) lock asks for it.
func (f foreignFile) open(shared bool) (fd int, writable bool, err error) {
	if f.path == "" {
		return -1, false, &os.PathError{Op: "open", Path: f.path, Err: unix.ENOENT}
	}
	var st unix.Stat_t
	// Opening a device or a FIFO can do something; looking at it cannot.
	if err := unix.Stat(f.path, &st); err == nil {
		if err := judgeForeign(f.path, st.Mode); err != nil {
			return -1, false, err
		}
		// A program cannot be executed while it is open for writing (ETXTBSY).
		if !shared && !f.program && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o111 == 0 {
			if fd, err := unix.Open(f.path, unix.O_RDWR|foreignFlags, 0); err == nil {
				return judgeOpen(fd, true, f.path)
			}
		}
	}
	fd, err = unix.Open(f.path, unix.O_RDONLY|foreignFlags, 0)
	if err == unix.ENOENT && !f.program {
		return f.make()
	}
	if err != nil {
		return -1, false, &os.PathError{Op: "open", Path: f.path, Err: err}
	}
	return judgeOpen(fd, false, f.path)
}

// make makes the file, as flock(1) does.
func (f foreignFile) make() (fd int, writable bool, err error) {
	// O_EXCL, so that a link whose target is missing makes no file there.
	fd, err = unix.Open(f.path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|foreignFlags, 0o666)
	writable = err == nil
	if err == unix.EEXIST {
		var st unix.Stat_t
		if unix.Lstat(f.path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return -1, false, &UnsafeError{Path: f.path, Problem: "is a symbolic link to a file that does not exist"}
		}
		fd, err = unix.Open(f.path, unix.O_RDONLY|foreignFlags, 0)
	}
	if err != nil {
		return -1, false, &os.PathError{Op: "open", Path: f.path, Err: err}
	}
	return judgeOpen(fd, writable, f.path)
}

// judgeOpen judges what was opened, and closes it if it is not fit.
func judgeOpen(fd int, writable bool, path string) (int, bool, error) {
	var st unix.Stat_t
	err := os.NewSyscallError("fstat", unix.Fstat(fd, &st))
	if err == nil {
		err = judgeForeign(path, st.Mode)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, false, err
	}
	return fd, writable, nil
}

func judgeForeign(path string, mode uint32) error {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
		return nil
	}
	return &UnsafeError{Path: path, Problem: "is neither a file nor a directory"}
}
