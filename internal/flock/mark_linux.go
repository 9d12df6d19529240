package flock

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Mark marks the byte at off of fd's file for as long as the open file
// description lives, or until [Unmark]. Any number may mark the same byte. fd must
// be open for reading. Where the system refuses, the error wraps [ErrMarks].
func Mark(fd int, off int64) error {
	if err := setMark(fd, off, unix.F_RDLCK); err != nil {
		return fmt.Errorf("%w: %w", ErrMarks, os.NewSyscallError("fcntl", err))
	}
	return nil
}

// Unmark removes fd's own mark from the byte at off.
func Unmark(fd int, off int64) error {
	return os.NewSyscallError("fcntl", setMark(fd, off, unix.F_UNLCK))
}

// Marked reports whether another open file description marks the byte at off.
// It takes no lock.
func Marked(fd int, off int64) (bool, error) {
	_, _, found, err := anyMark(fd, off, off+1)
	return found, err
}

// Marks returns the marked bytes of other open file descriptions in [from, to).
func Marks(fd int, from, to int64) ([]int64, error) {
	var found []int64
	for todo := [][2]int64{{from, to}}; len(todo) > 0; {
		span := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at, end, ok, err := anyMark(fd, span[0], span[1])
		if err != nil {
			return found, err
		}
		if !ok {
			continue
		}
		found = append(found, at)
		// The kernel answers with any one of them, not with the first.
		todo = append(todo, [2]int64{span[0], at}, [2]int64{end, span[1]})
	}
	return found, nil
}

// anyMark returns where one lock in [from, to) begins and ends.
func anyMark(fd int, from, to int64) (begin, end int64, found bool, err error) {
	if from >= to {
		return 0, 0, false, nil
	}
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: from, Len: to - from}
	for {
		err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &l)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, 0, false, os.NewSyscallError("fcntl", err)
		}
		if l.Type == unix.F_UNLCK {
			return 0, 0, false, nil
		}
		begin, end = max(l.Start, from), to
		if l.Len > 0 { // 0 is as far as a file can go
			end = min(l.Start+l.Len, to)
		}
		return begin, end, true, nil
	}
}

func setMark(fd int, off int64, kind int16) error {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: off, Len: 1}
	for {
		if err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &l); err != unix.EINTR {
			return err
		}
	}
}
