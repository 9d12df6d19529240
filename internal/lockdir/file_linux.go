package lockdir

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// File is an open lock file that was found fit for its purpose.
type File struct {
	FD   int
	Path string
	// Created is set when the open made the file.
	Created  bool
	Size     int64
	Dev, Ino uint64
	UID      uint32
}

// ErrNoFile is returned by [Dir.Look] for a name that has no lock file.
var ErrNoFile error = unix.ENOENT

const openFlags = unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// Open opens the name's lock file for reading and writing, and makes it if it is
// missing. The error is an *UnsafeError or an *os.PathError.
func (d *Dir) Open(name string) (File, error) {
	path := d.File(name)
	// Without O_CREAT first: fs.protected_regular refuses O_CREAT on another's file
	// in a sticky directory even to root (proc_sys_fs(5)).
	for {
		fd, err := unix.Open(path, unix.O_RDWR|openFlags, 0)
		created := false
		if err == unix.ENOENT {
			fd, err = unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|openFlags, 0o600)
			if err == unix.EEXIST {
				continue
			}
			created = err == nil
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return File{}, explain(path, err)
		}
		if created {
			// The umask may have taken bits that the next start needs.
			if err := unix.Fchmod(fd, 0o600); err != nil {
				_ = unix.Close(fd)
				return File{}, &os.PathError{Op: "chmod", Path: path, Err: err}
			}
		}
		return check(fd, path, created, d.purpose)
	}
}

// Look opens the name's lock file for reading. The error is [ErrNoFile] if there
// is none.
func (d *Dir) Look(name string) (File, error) {
	if d.missing {
		return File{}, ErrNoFile
	}
	path := d.File(name)
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|openFlags, 0)
		switch err {
		case nil:
			return check(fd, path, false, d.purpose)
		case unix.EINTR:
		case unix.ENOENT:
			return File{}, ErrNoFile
		default:
			return File{}, explain(path, err)
		}
	}
}

// StillThere reports whether the path leads to this file now.
func (f *File) StillThere() bool {
	var st unix.Stat_t
	return unix.Lstat(f.Path, &st) == nil && st.Dev == f.Dev && st.Ino == f.Ino
}

// explain replaces what the system says of a file that cannot be opened, where
// that says little.
func explain(path string, err error) error {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		return notRegular(path, st.Mode)
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

func notRegular(path string, mode uint32) error {
	return &UnsafeError{
		Path:    path,
		Problem: "is " + kind(mode) + ", not a lock file",
		Remedy:  "find out who put it there, and remove it",
	}
}

// check judges the open file, and closes it if it is not fit.
func check(fd int, path string, created bool, purpose Purpose) (File, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err != nil {
		err = &os.PathError{Op: "fstat", Path: path, Err: err}
	} else {
		err = judgeFile(path, &st, purpose)
	}
	if err != nil {
		_ = unix.Close(fd)
		return File{}, err
	}
	return File{FD: fd, Path: path, Created: created, Size: st.Size, Dev: st.Dev, Ino: st.Ino, UID: st.Uid}, nil
}

func judgeFile(path string, st *unix.Stat_t, purpose Purpose) error {
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return notRegular(path, st.Mode)
	case purpose == Look:
		return nil
	case !mineOrRoots(st):
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("belongs to uid %d, neither to root nor to uid %d", st.Uid, os.Geteuid()),
			Remedy:  "use a directory of your own, with --dir or SOLE_DIR",
		}
	case st.Nlink > 1:
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("has %d hard links, so it is some other file too", st.Nlink),
			Remedy:  "find out who put it there, and remove it",
		}
	case st.Mode&0o022 != 0:
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("is writable by others (mode %04o)", st.Mode&0o7777),
			Remedy:  "chmod 600 " + path,
		}
	}
	return nil
}
