package doctor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/record"
)

// Below these there is a warning.
const (
	fewBytes = 1 << 20
	fewFiles = 100
)

// checkRoom writes as much as a lock file has, and makes it durable.
func checkRoom(p Place) Result {
	s, err := p.find()
	if err != nil {
		return skip("there is no directory to write in")
	}
	if limit := fileSizeLimit(); limit < record.End {
		return skip("files are limited to %d bytes, see limits", limit)
	}
	sweep(s.dir)
	f, err := newProbeFile(s.dir)
	if err != nil {
		return cannotMake(s, err)
	}
	defer f.close()
	if err := fill(f.fd); err != nil {
		cause, do := causeOf(err)
		return fail(cause, do, "a record of %d bytes cannot be written to a file in %s: %v", record.End, cutPath(s.at), err)
	}
	if err := syncDir(s.dir); err != nil {
		cause, do := causeOf(err)
		return fail(cause, do, "%s cannot be synced: %v", cutPath(s.at), err)
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(s.dir, &st); err != nil {
		return trouble(os.NewSyscallError("fstatfs", err))
	}
	return roomLeft(&st)
}

// roomLeft judges what the filesystem says of itself. One that counts no blocks or no
// files says 0 of both.
func roomLeft(st *unix.Statfs_t) Result {
	bytes := st.Bavail * uint64(max(st.Frsize, 1))
	r := ok("a record was written and synced")
	switch {
	case st.Blocks > 0 && bytes < fewBytes:
		r = warn("make room", "a record was written, but only %d KiB are left", bytes>>10)
	case st.Files > 0 && st.Ffree < fewFiles:
		r = warn("remove files, or "+otherDir, "a record was written, but the filesystem has room for %d files only", st.Ffree)
	}
	return r.with("bytes_left", fmt.Sprint(bytes)).with("files_left", fmt.Sprint(st.Ffree))
}

func cannotMake(s *spot, err error) Result {
	cause, do := causeOf(err)
	var errno unix.Errno
	errors.As(err, &errno)
	why := err.Error()
	switch errno {
	case unix.EACCES, unix.EPERM:
		why = fmt.Sprintf("uid %d may not", os.Geteuid())
	case unix.EROFS:
		why = "it is read-only"
	case unix.ENOSPC:
		why = "the filesystem is full"
	case unix.EDQUOT:
		why = "the quota is used up"
	}
	return fail(cause, do, "no file can be made in %s: %s", cutPath(s.at), why)
}

// fill writes a record's size to fd.
func fill(fd int) error {
	b := make([]byte, record.End)
	for i := range b {
		b[i] = ' '
	}
	n, err := unix.Pwrite(fd, b, 0)
	if err != nil {
		return os.NewSyscallError("pwrite", err)
	}
	if n != len(b) {
		return os.NewSyscallError("pwrite", unix.ENOSPC)
	}
	return os.NewSyscallError("fdatasync", unix.Fdatasync(fd))
}

// syncDir makes a new file's entry durable, as the first start of a name does. Some
// filesystems know no such thing.
func syncDir(dir int) error {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("open", err)
	}
	defer unix.Close(fd)
	if err := unix.Fsync(fd); err != unix.EINVAL && err != unix.ENOTSUP {
		return os.NewSyscallError("fsync", err)
	}
	return nil
}

func fileSizeLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_FSIZE, &l) != nil {
		return unix.RLIM_INFINITY
	}
	return l.Cur
}
