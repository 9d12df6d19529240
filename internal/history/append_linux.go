package history

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// Limit is how large a file may be before the next one is begun, unless it is said otherwise: some
// ten thousand records.
const Limit = 4 << 20

// Append writes the record of a run or skip to the history of its name in dir. A file of limit
// bytes or more becomes the older one first. The error is an *os.PathError, or says that the file is
// not to be trusted (*lockdir.UnsafeError). Some of the line may have been written then.
func Append(dir *lockdir.Dir, e *Entry, limit int64) error {
	f, err := openFor(dir, e.Name)
	if err != nil {
		return err
	}
	if f.Size >= limit {
		rotate(dir, e.Name, &f)
		_ = unix.Close(f.FD)
		if f, err = openFor(dir, e.Name); err != nil {
			return err
		}
	}
	defer unix.Close(f.FD)
	var line [1 + MaxLine]byte
	n := e.Encode((*[MaxLine]byte)(line[1:]))
	return write(&f, line[:1+n])
}

// How long to wait for somebody who makes the file the older one: that takes milliseconds.
const (
	rotationPause = time.Millisecond
	rotationTries = 100
)

// openFor opens the file of a name for appending, and makes it if it is missing. It is locked, so that
// nobody removes it before it has been written to. If that is not to be had in time, the run goes on
// without.
func openFor(dir *lockdir.Dir, name string) (f lockdir.File, err error) {
	for try := 1; ; try++ {
		if f, err = dir.OpenHistory(name); err != nil {
			return f, err
		}
		busy := unix.Flock(f.FD, unix.LOCK_SH|unix.LOCK_NB) == unix.EWOULDBLOCK
		if !busy && !removed(f.FD) || try == rotationTries {
			break
		}
		_ = unix.Close(f.FD)
		if busy {
			time.Sleep(rotationPause)
		}
	}
	if err = f.Judge(); err == nil {
		_, err = unix.FcntlInt(uintptr(f.FD), unix.F_SETFL, unix.O_APPEND|unix.O_NONBLOCK)
	}
	if err != nil {
		_ = unix.Close(f.FD)
	}
	return f, err
}

// removed reports whether the open file has no name any more: it was rotated twice before it was locked.
func removed(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Nlink == 0
}

// write appends a line, which begins at line[1]. Behind one that was torn it begins anew.
func write(f *lockdir.File, line []byte) error {
	line[0] = '\n'
	if f.Size == 0 || ended(f) {
		line = line[1:]
	}
	for {
		n, err := unix.Write(f.FD, line)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil && n < len(line):
			err = unix.ENOSPC
		}
		if err != nil {
			return &os.PathError{Op: "write", Path: f.Path, Err: err}
		}
		return nil
	}
}

// ended reports whether the last line of the file is whole.
func ended(f *lockdir.File) bool {
	var last [1]byte
	n, err := unix.Pread(f.FD, last[:], f.Size-1)
	return err == nil && n == 1 && last[0] == '\n'
}

// rotate makes the file the older one of its name, unless somebody else does. What was counted so
// far stays countable: the last line of the older file says what there was before it. A fault leaves
// the file where it is, and larger.
func rotate(dir *lockdir.Dir, name string, f *lockdir.File) {
	if unix.Flock(f.FD, unix.LOCK_EX|unix.LOCK_NB) != nil || !f.StillThere() {
		return
	}
	files := FilesIn(dir, name)
	older, err := open(files.Older)
	if err != nil {
		return
	}
	if older != nil {
		defer older.Close()
		if unix.Flock(int(older.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
			return // somebody has been about to write into it ever since it was the current one
		}
	}
	before := Totals{}
	found, err := Files{Older: files.Older}.Forward(func(l *Line) { before.Add(l) })
	if err == nil {
		_ = write(f, before.Plus(found.Before).encode([]byte{0}))
	}
	_ = unix.Rename(files.Current, files.Older)
}

// openRegular opens a file for reading, but nothing that is not a regular file.
func openRegular(path string) (*os.File, error) {
	var fd int
	var err error
	for {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			break
		}
	}
	if err == unix.ENOENT {
		return nil, os.ErrNotExist
	}
	if err != nil {
		return nil, lockdir.Explain(path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		_ = unix.Close(fd)
		return nil, lockdir.Explain(path, unix.EINVAL)
	}
	return os.NewFile(uintptr(fd), path), nil
}
