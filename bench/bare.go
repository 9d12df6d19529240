package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/sole-run/sole"
	"golang.org/x/sys/unix"
)

// bare is the system calls of TryAcquire and Release on a file that is there, in their
// order, with everything that can be made beforehand made beforehand: what no code around
// them can be faster than.
type bare struct {
	dir     int
	name    []byte
	path    []byte
	looks   bool // for waiters
	stat    unix.Stat_t
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
	bareTickets = 1 << 61
)

var bareFree = []byte("free")

func bareSide(dir string, looks bool) (*side, error) {
	// A file as sole makes it.
	l, err := sole.TryAcquire("n", sole.Dir(dir))
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
	return &side{name: "bare calls", once: func() (time.Duration, error) {
		begin := time.Now()
		err := b.once()
		return time.Since(begin), err
	}}, nil
}

func cString(s string) []byte { return append([]byte(s), 0) }

func (b *bare) once() error {
	n, _, e := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(b.dir), at(b.name),
		unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, 0, 0)
	if e != 0 {
		return e
	}
	c := calls{fd: n}
	b.look(&c)
	c.do(unix.SYS_FLOCK, unix.LOCK_EX|unix.LOCK_NB, 0, 0)
	b.look(&c)
	c.do(unix.SYS_FSTAT, uintptr(unsafe.Pointer(&b.stat)), 0, 0)
	b.lstat(&c)
	c.do(unix.SYS_PREAD64, at(b.all), uintptr(len(b.all)), 0)
	c.do(unix.SYS_PWRITE64, at(b.rec), bareRecord, bareHeader)
	b.mark = unix.Flock_t{Type: unix.F_RDLCK, Len: 1}
	c.do(unix.SYS_FCNTL, unix.F_OFD_SETLK, uintptr(unsafe.Pointer(&b.mark)), 0)
	c.do(unix.SYS_PWRITE64, at(bareFree), uintptr(len(bareFree)), bareHeader+bareState)
	c.do(unix.SYS_FLOCK, unix.LOCK_UN, 0, 0)
	c.do(unix.SYS_CLOSE, 0, 0, 0)
	return c.result()
}

// look asks whether anybody waits.
func (b *bare) look(c *calls) {
	if b.looks {
		b.waiters = unix.Flock_t{Type: unix.F_WRLCK, Start: bareTickets, Len: 1<<63 - 1 - bareTickets}
		c.do(unix.SYS_FCNTL, unix.F_OFD_GETLK, uintptr(unsafe.Pointer(&b.waiters)), 0)
	}
}

func (b *bare) lstat(c *calls) {
	here := unix.AT_FDCWD
	_, _, e := unix.RawSyscall6(unix.SYS_NEWFSTATAT, uintptr(here), at(b.path), uintptr(unsafe.Pointer(&b.stat)),
		unix.AT_SYMLINK_NOFOLLOW, 0, 0)
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
