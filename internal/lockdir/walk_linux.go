package lockdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links a path may have, as path_resolution(7).
const maxLinks = 40

// Open finds the directory at path. For [Use] each step to it must be trusted,
// and what is missing is made, with mode 0700. The error is an *UnsafeError or wraps
// that of the system.
func Open(path string, purpose Purpose) (*Dir, error) {
	if path == "" {
		return nil, &os.PathError{Op: "open", Path: path, Err: unix.ENOENT}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// filepath.Abs resolves "a/.." by name alone, which is wrong behind a link.
	if filepath.IsAbs(path) {
		abs = path
	} else if wd, err := os.Getwd(); err == nil {
		abs = wd + "/" + path
	}
	d := &Dir{purpose: purpose, fd: -1}
	d.path, d.entry, err = walk(abs, purpose, nil)
	if purpose == Look && errors.Is(err, unix.ENOENT) {
		return &Dir{path: filepath.Clean(abs), missing: true, fd: -1}, nil
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Known is the directory at path, which was opened for [Use] and found fit before, and
// has no link in its path.
func Known(path string) *Dir { return &Dir{path: path, purpose: Use, fd: -1} }

// NewFile is the open lock file of name, which was judged before.
func (d *Dir) NewFile(name string, fd int, size int64, dev, ino uint64) File {
	return File{FD: fd, Path: d.File(name), Size: size, Dev: dev, Ino: ino, purpose: d.purpose}
}

// Pin keeps a descriptor of the directory, which makes opening files in it cheaper.
// It is closed on execve(2). Whether the path still leads there is to be checked for
// each file that was locked ([File.StillThere]).
func (d *Dir) Pin() {
	fd, err := unix.Open(d.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || identify(&st) != d.entry {
		_ = unix.Close(fd)
		return
	}
	d.fd = fd
}

// Unpin gives the descriptor up.
func (d *Dir) Unpin() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
		d.fd = -1
	}
}

// Loose reports whether stat(2) has another device number for the directory's files
// than /proc/locks has: on btrfs and overlay.
func (d *Dir) Loose() bool {
	var st unix.Statfs_t
	if unix.Statfs(d.path, &st) != nil {
		return false
	}
	t := int64(st.Type)
	return t == unix.BTRFS_SUPER_MAGIC || t == unix.OVERLAYFS_SUPER_MAGIC
}

// Changed reports whether another directory is at the path now, or its owner or
// mode is another.
func (d *Dir) Changed() bool {
	var st unix.Stat_t
	return unix.Lstat(d.path, &st) != nil || identify(&st) != d.entry
}

// walk follows path step by step, has see look at each one unless that is nil, and
// judges it.
func walk(path string, purpose Purpose, see func(path string, st *unix.Stat_t)) (string, identity, error) {
	if see == nil {
		see = func(string, *unix.Stat_t) {}
	}
	at, st, err := "/", unix.Stat_t{}, error(nil)
	if err := lstat("/", &st); err != nil {
		return "", identity{}, err
	}
	see("/", &st)
	if err := judgeDir("/", &st, purpose); err != nil {
		return "", identity{}, err
	}
	todo := strings.Split(path, "/")
	for links := 0; len(todo) > 0; {
		step := todo[0]
		todo = todo[1:]
		switch step {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			err = lstat(at, &st)
			if err != nil {
				return "", identity{}, err
			}
			continue
		}
		next := strings.TrimSuffix(at, "/") + "/" + step
		err = lstat(next, &st)
		if errors.Is(err, unix.ENOENT) && purpose == Use {
			err = makeDir(next, &st)
		}
		if err != nil {
			return "", identity{}, err
		}
		see(next, &st)
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			if links++; links > maxLinks {
				return "", identity{}, &os.PathError{Op: "open", Path: path, Err: unix.ELOOP}
			}
			target, err := judgeLink(next, &st, purpose)
			if err != nil {
				return "", identity{}, err
			}
			if strings.HasPrefix(target, "/") {
				at = "/"
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		}
		if err := judgeDir(next, &st, purpose); err != nil {
			return "", identity{}, err
		}
		at = next
	}
	// The last step may have been a link or "..".
	if err := lstat(at, &st); err != nil {
		return "", identity{}, err
	}
	return at, identify(&st), nil
}

// judgeDir says whether st, at path, can be trusted on the way to a lock.
func judgeDir(path string, st *unix.Stat_t, purpose Purpose) error {
	if FitDir(st.Mode, st.Uid, uint32(euid())) {
		return nil
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return &UnsafeError{Path: path, Problem: "is " + kind(st.Mode) + ", not a directory"}
	}
	if purpose == Look {
		return nil
	}
	if !mineOrRoots(st) {
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("belongs to uid %d, neither to root nor to uid %d", st.Uid, euid()),
			Remedy:  "name another directory with --dir or SOLE_DIR",
		}
	}
	if st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0 {
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("is writable by others and has no sticky bit (mode %04o)", st.Mode&0o7777),
			Remedy:  "chmod go-w " + path,
		}
	}
	return nil
}

// judgeLink returns where the link leads, if whoever made it can be trusted.
func judgeLink(path string, st *unix.Stat_t, purpose Purpose) (string, error) {
	if purpose != Look && !mineOrRoots(st) {
		return "", &UnsafeError{Path: path, Problem: fmt.Sprintf("is a symbolic link of uid %d", st.Uid)}
	}
	target, err := os.Readlink(path)
	if err != nil {
		return "", err
	}
	if purpose != Look {
		// Without this a link whose target is missing would be filled in.
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return "", &UnsafeError{Path: path, Problem: "is a symbolic link to " + target + ", which does not exist"}
		}
	}
	return target, nil
}

func makeDir(path string, st *unix.Stat_t) error {
	err := unix.Mkdir(path, 0o700)
	if err != nil && err != unix.EEXIST {
		return &os.PathError{Op: "mkdir", Path: path, Err: err}
	}
	if err == nil {
		// The umask may have taken bits that are needed.
		if err := unix.Chmod(path, 0o700); err != nil {
			return &os.PathError{Op: "chmod", Path: path, Err: err}
		}
	}
	return lstat(path, st)
}

func lstat(path string, st *unix.Stat_t) error {
	if err := unix.Lstat(path, st); err != nil {
		return &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	return nil
}

// euid is read once: a Go program does not change it.
var euid = sync.OnceValue(os.Geteuid)

func mineOrRoots(st *unix.Stat_t) bool {
	return ownedBy(st.Uid, uint32(euid()))
}

func identify(st *unix.Stat_t) identity {
	return identity{dev: st.Dev, ino: st.Ino, mode: st.Mode, uid: st.Uid}
}

func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "a file"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFIFO:
		return "a FIFO"
	case unix.S_IFSOCK:
		return "a socket"
	}
	return "a device"
}
