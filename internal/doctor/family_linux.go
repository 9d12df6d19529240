package doctor

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
)

// family is one of the kernel's kinds of locks.
type family struct {
	name string // as the check
	call string // as it is known
	// try takes the lock without waiting.
	try  func(fd int) (bool, error)
	free func(fd int) error
	// seen reports whether another's lock is visible, nil where there is no asking.
	seen func(fd int) (bool, error)
	// perProcess is set where two descriptions of one process do not exclude each other.
	perProcess bool
}

func families() []family {
	return []family{
		{name: "flock", call: "flock(2)", try: tryFlock, free: flock.Unlock},
		{name: "shared", call: "flock(2), shared", try: tryShared, free: flock.Unlock},
		{name: "ofd", call: "OFD", try: tryOFD, free: freeOFD, seen: seesOFD},
		{name: "posix", call: "POSIX", try: tryPOSIX, free: freePOSIX, seen: seesPOSIX, perProcess: true},
	}
}

func familyNamed(name string) (family, bool) {
	for _, f := range families() {
		if f.name == name {
			return f, true
		}
	}
	return family{}, false
}

func tryFlock(fd int) (bool, error)  { return flock.TryLock(fd, flock.Exclusive) }
func tryShared(fd int) (bool, error) { return flock.TryLock(fd, flock.Shared) }

// The byte does not matter: a mark can be anywhere.
func tryOFD(fd int) (bool, error)  { return flock.Mark(fd, 0, flock.Exclusive) }
func freeOFD(fd int) error         { return flock.Unmark(fd, 0) }
func seesOFD(fd int) (bool, error) { return flock.Marked(fd, 0) }

func tryPOSIX(fd int) (bool, error) {
	switch err := posix(fd, unix.F_SETLK, unix.F_WRLCK, nil); err {
	case nil:
		return true, nil
	case unix.EAGAIN, unix.EACCES:
		return false, nil
	default:
		return false, os.NewSyscallError("fcntl", err)
	}
}

func freePOSIX(fd int) error {
	return os.NewSyscallError("fcntl", posix(fd, unix.F_SETLK, unix.F_UNLCK, nil))
}

func seesPOSIX(fd int) (bool, error) {
	var l unix.Flock_t
	if err := posix(fd, unix.F_GETLK, unix.F_WRLCK, &l); err != nil {
		return false, os.NewSyscallError("fcntl", err)
	}
	return l.Type != unix.F_UNLCK, nil
}

func posix(fd, command int, kind int16, answer *unix.Flock_t) error {
	for {
		l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: 0, Len: 1}
		err := unix.FcntlFlock(uintptr(fd), command, &l)
		if err == unix.EINTR {
			continue
		}
		if answer != nil {
			*answer = l
		}
		return err
	}
}

// refused is what the system said instead of trying.
func refused(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno.Error() + " (" + unix.ErrnoName(errno) + ")"
	}
	return err.Error()
}
