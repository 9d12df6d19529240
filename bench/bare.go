package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/sole-run/sole"
	"golang.org/x/sys/unix"
)

// bare is the system calls of the protocol on a file that is there, in their order, with
// everything that can be made beforehand made beforehand: what no code around them can be
// faster than.
type bare struct {
	dir     int
	name    []byte
	path    []byte
	looks   bool // for waiters
	stat    unix.Statx_t
	all     []byte
	rec     []byte
	mark    unix.Flock_t
	waiters unix.Flock_t
}

// Where the protocol has the record and the tickets (docs/protocol.md).
const (
	bareHeader  = 512
	bareRecord  = 2048
	bareState   = 14 // of the record
	bareOwners  = 1 << 60
	bareTickets = 1 << 61
)

var bareFree = []byte("free")

func newBare(dir string, looks bool) (*bare, error) {
	// A file as sole makes it.
	l, err := sole.Acquire(context.Background(), "n", sole.Dir(dir)) // others may do the same now
	if err == nil {
		err = l.Release()
	}
	if err != nil {
		return nil, err
	}
	b := &bare{looks: looks, name: cString("n.lock"), path: cString(filepath.Join(dir, "n.lock")),
		all: make([]byte, bareHeader+bareRecord)}
	whole, err := os.ReadFile(l.Path())
	if err == nil && len(whole) < bareHeader+bareRecord {
		err = fmt.Errorf("%s has %d bytes", l.Path(), len(whole))
	}
	if err != nil {
		return nil, err
	}
	b.rec = whole[bareHeader : bareHeader+bareRecord]
	if b.dir, err = unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	return b, nil
}

// bareSide is TryAcquire and Release in bare calls.
func bareSide(dir string, looks bool) (*side, error) {
	b, err := newBare(dir, looks)
	return &side{name: "bare calls", once: func() (time.Duration, error) {
		begin := time.Now()
		err := b.once()
		return time.Since(begin), err
	}}, err
}

func cString(s string) []byte { return append([]byte(s), 0) }

func (b *bare) open() (calls, error) {
	n, _, e := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(b.dir), at(b.name),
		unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, 0, 0)
	if e != 0 {
		return calls{}, e
	}
	return calls{fd: n}, nil
}

// wait is the calls of a waiter: its two marks, the wait, and what comes after it.
func (b *bare) wait() (release func() error, err error) {
	c, err := b.open()
	if err != nil {
		return nil, err
	}
	const whole = 1<<63 - 1 - bareOwners
	owner, ticket := time.Now().UnixNano()%(1<<38)<<22, time.Now().UnixNano()
	b.setMark(&c, unix.F_RDLCK, bareOwners+owner, 1)
	b.setMark(&c, unix.F_WRLCK, bareTickets+ticket, 1)
	for {
		_, _, e := unix.Syscall(unix.SYS_FLOCK, c.fd, unix.LOCK_EX, 0)
		if e != unix.EINTR {
			c.note(e)
			break
		}
	}
	b.look(&c)
	b.setMark(&c, unix.F_UNLCK, bareOwners, whole)
	b.lstat(&c)
	b.admit(&c)
	return func() error {
		b.release(&c)
		return c.result()
	}, c.result()
}

func (b *bare) setMark(c *calls, kind int16, start, length int64) {
	b.waiters = unix.Flock_t{Type: kind, Start: start, Len: length}
	c.do(unix.SYS_FCNTL, unix.F_OFD_SETLK, uintptr(unsafe.Pointer(&b.waiters)), 0)
}

func (b *bare) once() error {
	c, err := b.open()
	if err != nil {
		return err
	}
	b.look(&c)
	c.do(unix.SYS_FLOCK, unix.LOCK_EX|unix.LOCK_NB, 0, 0)
	b.look(&c)
	b.fstat(&c)
	b.lstat(&c)
	b.admit(&c)
	b.release(&c)
	return c.result()
}

// admit reads the last record, writes a new one, and marks the file.
func (b *bare) admit(c *calls) {
	c.do(unix.SYS_PREAD64, at(b.all), uintptr(len(b.all)), 0)
	c.do(unix.SYS_PWRITE64, at(b.rec), bareRecord, bareHeader)
	b.mark = unix.Flock_t{Type: unix.F_RDLCK, Len: 1}
	c.do(unix.SYS_FCNTL, unix.F_OFD_SETLK, uintptr(unsafe.Pointer(&b.mark)), 0)
}

func (b *bare) release(c *calls) {
	c.do(unix.SYS_PWRITE64, at(bareFree), uintptr(len(bareFree)), bareHeader+bareState)
	c.do(unix.SYS_FLOCK, unix.LOCK_UN, 0, 0)
	c.do(unix.SYS_CLOSE, 0, 0, 0)
}

// look asks whether anybody waits.
func (b *bare) look(c *calls) {
	if b.looks {
		b.waiters = unix.Flock_t{Type: unix.F_WRLCK, Start: bareTickets, Len: 1<<63 - 1 - bareTickets}
		c.do(unix.SYS_FCNTL, unix.F_OFD_GETLK, uintptr(unsafe.Pointer(&b.waiters)), 0)
	}
}

// bareFacts are those that internal/lockdir asks for: not the times.
const bareFacts = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_NLINK | unix.STATX_UID | unix.STATX_INO | unix.STATX_SIZE

func (b *bare) fstat(c *calls) { b.statx(c, c.fd, []byte{0}, unix.AT_EMPTY_PATH) }

func (b *bare) lstat(c *calls) {
	here := unix.AT_FDCWD
	b.statx(c, uintptr(here), b.path, unix.AT_SYMLINK_NOFOLLOW)
}

func (b *bare) statx(c *calls, dir uintptr, path []byte, flags uintptr) {
	_, _, e := unix.RawSyscall6(unix.SYS_STATX, dir, at(path), flags, bareFacts, uintptr(unsafe.Pointer(&b.stat)), 0)
	c.note(e)
}

func at(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

// calls makes system calls on one descriptor, and keeps the first error.
type calls struct {
	fd    uintptr
	errno unix.Errno
}

func (c *calls) do(trap, a, b, d uintptr) {
	_, _, e := unix.RawSyscall6(trap, c.fd, a, b, d, 0, 0)
	c.note(e)
}

func (c *calls) note(e unix.Errno) {
	if c.errno == 0 {
		c.errno = e
	}
}

func (c *calls) result() error {
	if c.errno != 0 {
		return c.errno
	}
	return nil
}
