package lockdir

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// File is an open lock file. What is known of it is from its last [File.Judge].
type File struct {
	FD   int
	Path string
	// Created is set when the open made the file.
	Created  bool
	Size     int64
	Dev, Ino uint64

	purpose Purpose
	judged  bool
}

// ErrNoFile is returned by [Dir.Look] for a name that has no lock file.
var ErrNoFile error = unix.ENOENT

const openFlags = unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// Open opens the name's lock file for reading and writing, and makes it if it is
// missing. It is yet to be judged. The error is an *UnsafeError or an *os.PathError.
func (d *Dir) Open(name string) (File, error) { return d.open(d.File(name)) }

// OpenSeats is [Dir.Open] for the file of those that share the name.
func (d *Dir) OpenSeats(name string) (File, error) { return d.open(d.Seats(name)) }

// OpenHistory is [Dir.Open] for the history of a name.
func (d *Dir) OpenHistory(name string) (File, error) { return d.open(d.History(name)) }

func (d *Dir) open(full string) (File, error) {
	f := File{Path: full, purpose: d.purpose}
	at, path := d.at(full)
	// Without O_CREAT first: fs.protected_regular refuses O_CREAT on another's file
	// in a sticky directory even to root (proc_sys_fs(5)).
	for {
		fd, err := unix.Openat(at, path, unix.O_RDWR|openFlags, 0)
		if err == unix.ENOENT {
			fd, err = unix.Openat(at, path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|openFlags, 0o600)
			if err == unix.EEXIST {
				continue
			}
			f.Created = err == nil
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return File{}, explain(f.Path, err)
		}
		f.FD = fd
		if f.Created {
			// The umask may have taken bits that the next start needs.
			if err := unix.Fchmod(fd, 0o600); err != nil {
				_ = unix.Close(fd)
				return File{}, &os.PathError{Op: "chmod", Path: f.Path, Err: err}
			}
		}
		return f, nil
	}
}

// at is how to reach a file: by the directory's descriptor, which spares the way to
// it, if there is one.
func (d *Dir) at(path string) (int, string) {
	if d.fd >= 0 {
		return d.fd, path[len(d.path)+1:]
	}
	return unix.AT_FDCWD, path
}

// Look opens the name's lock file for reading, and judges it. The error is
// [ErrNoFile] if there is none.
func (d *Dir) Look(name string) (File, error) { return d.look(d.File(name)) }

// LookSeats is [Dir.Look] for the file of those that share the name.
func (d *Dir) LookSeats(name string) (File, error) { return d.look(d.Seats(name)) }

func (d *Dir) look(full string) (File, error) {
	if d.missing {
		return File{}, ErrNoFile
	}
	f := File{Path: full, purpose: d.purpose}
	at, path := d.at(full)
	for {
		fd, err := unix.Openat(at, path, unix.O_RDONLY|openFlags, 0)
		switch err {
		case nil:
			f.FD = fd
			if err := f.Judge(); err != nil {
				_ = unix.Close(fd)
				return File{}, err
			}
			return f, nil
		case unix.EINTR:
		case unix.ENOENT:
			return File{}, ErrNoFile
		default:
			return File{}, explain(f.Path, err)
		}
	}
}

// Judged reports whether [File.Judge] found the file fit.
func (f *File) Judged() bool { return f.judged }

// Judge looks at the open file, and returns an *UnsafeError if it is not fit.
func (f *File) Judge() error {
	st, err := statAt(f.FD, "", 0)
	if err != nil {
		return &os.PathError{Op: "fstat", Path: f.Path, Err: err}
	}
	f.Size, f.Dev, f.Ino = st.size, st.dev, st.ino
	err = judgeFile(f.Path, st, f.purpose)
	f.judged = err == nil
	return err
}

// StillThere reports whether the path leads to this file now. The whole path is
// followed, so that a directory that was moved is noticed too.
func (f *File) StillThere() bool {
	st, err := statAt(unix.AT_FDCWD, f.Path, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.dev != f.Dev || st.ino != f.Ino {
		return false
	}
	f.Size = st.size
	return true
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
		Problem: "is " + kind(mode) + ", not a regular file",
		Remedy:  "find out who put it there, and remove it",
	}
}

func judgeFile(path string, st facts, purpose Purpose) error {
	switch {
	case FitFile(st.mode, st.uid, st.links, uint32(euid())):
		return nil
	case st.mode&unix.S_IFMT != unix.S_IFREG:
		return notRegular(path, st.mode)
	case purpose == Look:
		return nil
	case !ownedBy(st.uid, uint32(euid())):
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("belongs to uid %d, neither to root nor to uid %d", st.uid, euid()),
			Remedy:  "use a directory of your own, with --dir or SOLE_DIR",
		}
	case st.links > 1:
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("has %d hard links, so it is some other file too", st.links),
			Remedy:  "find out who put it there, and remove it",
		}
	case st.mode&0o022 != 0:
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("is writable by others (mode %04o)", st.mode&0o7777),
			Remedy:  "chmod 600 " + path,
		}
	}
	return nil
}

// JudgeOpen fills in st and returns an *UnsafeError if the open file, which is to be
// held or acted on, is not fit.
func JudgeOpen(fd int, path string, st *unix.Stat_t) error {
	if err := unix.Fstat(fd, st); err != nil {
		return &os.PathError{Op: "fstat", Path: path, Err: err}
	}
	return judgeFile(path, factsOf(st), Use)
}

// Explain is err of an open of path, or an *UnsafeError if something is there that is
// no regular file.
func Explain(path string, err error) error { return explain(path, err) }
