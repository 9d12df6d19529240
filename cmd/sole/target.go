package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// target is where a command writes what it makes: a file, or standard output.
type target struct {
	command string
	path    string // "-" is standard output
}

// write puts text there, and returns the exit code. A file is there as a whole or as it was: readers
// never see half of it, and a full disk costs nothing.
func (o target) write(text []byte) int {
	if o.path == "-" {
		_, err := os.Stdout.Write(text)
		return printed(err)
	}
	if err := replaceFile(o.path, text); err != nil {
		return fail(o.failed(err))
	}
	return exitOK
}

// failed is what is said of a file that could not be written.
func (o target) failed(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return &failure{f.code, o.command + ": " + f.text, f.hint}
	}
	var link *os.LinkError
	var path *fs.PathError
	if errors.As(err, &link) {
		err = link.Err
	} else if errors.As(err, &path) {
		err = path.Err
	}
	code, h := exitCantCreate, ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		h = "make room, or name another file with -o"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		h = "name a file in a directory that is there and that you may write with -o"
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EIO):
	default:
		code = exitOS
	}
	return &failure{code, fmt.Sprintf("%s: cannot write %s: %v", o.command, shorten(o.path), err), h}
}

// replaceFile writes a new file beside path and renames it to path. What is there already is replaced
// only if it is a file: a rename would put away a device, or a link, that somebody needs.
func replaceFile(path string, text []byte) (err error) {
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return &failure{exitCantCreate, fmt.Sprintf("%s is %s, and would be replaced", shorten(path), kindOfFile(old.Mode())), "name a file; -o - is standard output"}
	}
	f, err := besides(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync() // else the rename may be on the disk before the text is
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// besides makes a new file in the directory of path. The umask says its mode, as for any new file.
func besides(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	if len(base) > 200 { // names may have 255 bytes
		base = base[:200]
	}
	for try := 0; ; try++ {
		f, err := os.OpenFile(dir+"."+base+fmt.Sprintf(".%08x.tmp", rand.Uint32()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return f, err
		}
	}
}

func kindOfFile(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}
