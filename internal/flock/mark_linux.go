package flock

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Mark marks the byte at off of fd's file for as long as the open file
// description lives, or until [Unmark], and reports whether it did: not if another
// has a mark there and either is exclusive. fd must be open for reading, for an exclusive mark
// for writing too. Where the system refuses, the error wraps [ErrMarks].
func Mark(fd int, off int64, kind Kind) (bool, error) {
	err := setMark(fd, off, markType(kind), unix.F_OFD_SETLK)
	switch err {
	case nil:
		return true, nil
	case unix.EAGAIN, unix.EACCES:
		return false, nil
	}
	return false, fmt.Errorf("%w: %w", ErrMarks, os.NewSyscallError("fcntl", err))
}

// AwaitMark marks the byte as soon as nobody's mark is in the way, without polling.
// When ctx ends first it returns ctx's error, and the byte is not marked.
func AwaitMark(ctx context.Context, fd int, off int64, kind Kind) error {
	return wait(ctx, "fcntl", func() error { return setMark(fd, off, markType(kind), unix.F_OFD_SETLKW) })
}

// Unmark removes fd's own mark from the byte at off.
func Unmark(fd int, off int64) error { return UnmarkAll(fd, off, off+1) }

// UnmarkAll removes fd's own marks from the bytes in [from, to).
func UnmarkAll(fd int, from, to int64) error {
	return os.NewSyscallError("fcntl", setMarks(fd, from, to, unix.F_UNLCK, unix.F_OFD_SETLK))
}

// Marked reports whether another open file description marks the byte at off.
// It takes no lock.
func Marked(fd int, off int64) (bool, error) {
	_, found, err := AnyMark(fd, off, off+1, Exclusive)
	return found, err
}

// AnyMark returns one byte in [from, to) that another open file description marks: not
// necessarily the first. With [Shared] it sees exclusive marks only.
func AnyMark(fd int, from, to int64, kind Kind) (off int64, found bool, err error) {
	off, _, found, err = anyMark(fd, from, to, kind)
	return off, found, err
}

// Marks returns the marked bytes of other open file descriptions in [from, to).
func Marks(fd int, from, to int64) ([]int64, error) {
	var found []int64
	err := EachMark(fd, from, to, Exclusive, func(off int64) bool {
		found = append(found, off)
		return true
	})
	return found, err
}

// EachMark calls yield for the marked bytes in [from, to), in no particular order,
// until it returns false. With [Shared] it sees exclusive marks only.
func EachMark(fd int, from, to int64, kind Kind, yield func(off int64) bool) error {
	for todo := [][2]int64{{from, to}}; len(todo) > 0; {
		span := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at, end, ok, err := anyMark(fd, span[0], span[1], kind)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !yield(at) {
			return nil
		}
		// The kernel answers with any one of them, not with the first.
		todo = append(todo, [2]int64{span[0], at}, [2]int64{end, span[1]})
	}
	return nil
}

// anyMark returns where one lock in [from, to) begins and ends.
func anyMark(fd int, from, to int64, kind Kind) (begin, end int64, found bool, err error) {
	if from >= to {
		return 0, 0, false, nil
	}
	l := unix.Flock_t{Type: markType(kind), Whence: io.SeekStart, Start: from, Len: to - from}
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

func markType(kind Kind) int16 {
	if kind == Shared {
		return unix.F_RDLCK
	}
	return unix.F_WRLCK
}

func setMark(fd int, off int64, kind int16, command int) error {
	return setMarks(fd, off, off+1, kind, command)
}

func setMarks(fd int, from, to int64, kind int16, command int) error {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: from, Len: to - from}
	for {
		err := unix.FcntlFlock(uintptr(fd), command, &l)
		if err != unix.EINTR || command == unix.F_OFD_SETLKW {
			return err
		}
	}
}
