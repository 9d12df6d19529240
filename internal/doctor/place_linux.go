package doctor

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// spot is where a place is on this host.
type spot struct {
	path string // as asked for, or the default
	// dir is the directory, or if that is missing the nearest one above it; O_PATH.
	dir int
	at  string // the path of dir without symbolic links
	// missing is what a start would have to make below dir, "" if nothing.
	missing string
}

// find opens the place, and makes nothing.
func (p Place) find() (*spot, error) {
	path := p.Path
	if path == "" {
		var err error
		if path, err = lockdir.Default(); err != nil {
			return nil, err
		}
	}
	s := &spot{path: path}
	for above := path; ; {
		fd, err := unix.Open(above, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			s.dir = fd
			s.missing = below(path, above)
			s.at = s.resolved(above)
			return s, nil
		case err == unix.EINTR:
			continue
		case err == unix.ENOENT && !exists(above):
			if up := parent(above); up != above {
				above = up
				continue
			}
		}
		return nil, &fs.PathError{Op: "open", Path: above, Err: err}
	}
}

// below is what path has behind above, one of its parents.
func below(path, above string) string {
	if above == "." && path != "." && !strings.HasPrefix(path, "./") {
		return path
	}
	return strings.Trim(path[len(strings.TrimSuffix(above, "/")):], "/")
}

// exists reports whether something is there, be it a link to nowhere.
func exists(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil
}

// parent is the path without its last step. It does not resolve "..", which behind a
// link would be wrong.
func parent(path string) string {
	trimmed := strings.TrimRight(path, "/")
	i := strings.LastIndexByte(trimmed, '/')
	switch {
	case trimmed == "":
		return path
	case i < 0:
		return "."
	case i == 0:
		return "/"
	}
	return trimmed[:i]
}

// resolved is the path of the open directory.
func (s *spot) resolved(path string) string {
	if at, err := os.Readlink("/proc/self/fd/" + itoa(s.dir)); err == nil {
		return at
	}
	return path
}

// wanted is the path of the directory that a start would use, without links as far as
// it is there.
func (s *spot) wanted() string {
	if s.missing == "" {
		return s.at
	}
	return strings.TrimSuffix(s.at, "/") + "/" + s.missing
}

// trouble is the result for an error of the system or of the walk.
func trouble(err error) Result {
	var unsafe *lockdir.UnsafeError
	if errors.As(err, &unsafe) {
		return fail(Unsafe, unsafe.Remedy, "%s %s", cutPath(unsafe.Path), unsafe.Problem)
	}
	what := err.Error()
	var p *fs.PathError
	if errors.As(err, &p) {
		what = "cannot " + p.Op + " " + cutPath(p.Path) + ": " + p.Err.Error()
	}
	cause, do := causeOf(err)
	return fail(cause, do, "%s", what)
}

const otherDir = "name another directory with --dir or SOLE_DIR"

// causeOf sorts what the system said as the exit codes of a start do.
func causeOf(err error) (Cause, string) {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return System, ""
	}
	switch errno {
	case unix.EACCES, unix.EPERM:
		return Unsafe, "act as the user whose directory it is, or " + otherDir
	case unix.EROFS:
		return Lock, "name a directory on a writable filesystem with --dir or SOLE_DIR"
	case unix.ENOSPC, unix.EDQUOT:
		return Lock, "make room, or " + otherDir
	case unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT:
		return Lock, otherDir
	case unix.EIO, unix.ESTALE, unix.ENOLCK, unix.ENOSYS, unix.EOPNOTSUPP, unix.EINVAL:
		return Lock, "name a directory on a local filesystem with --dir or SOLE_DIR"
	}
	return System, ""
}
