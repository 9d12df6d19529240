package pidfile

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
)

// guard is the locked file of the identity.
type guard struct {
	at paths
	fd int
}

// patience is how long somebody else may hold the guard: some system calls and two disk
// flushes, unless it is stopped in between.
const patience = 10 * time.Second

// maxTurns bounds how often something may change under our hands.
const maxTurns = 100

// enter takes the guard. Nobody who keeps pid files by this package makes, changes or
// removes this one until leave.
func (p paths) enter() (*guard, error) {
	for range maxTurns {
		var st, now unix.Stat_t
		fd, err := p.openGuard(&st)
		if err != nil {
			return nil, err
		}
		g := &guard{p, fd}
		if err := g.lock(); err != nil {
			_ = unix.Close(fd)
			return nil, err
		}
		// Who had the guard before may have removed it.
		if unix.Lstat(p.id, &now) == nil && now.Dev == st.Dev && now.Ino == st.Ino {
			if err := g.tidy(); err != nil {
				g.leave()
				return nil, err
			}
			return g, nil
		}
		g.leave()
	}
	return nil, &os.PathError{Op: "lock", Path: p.id, Err: unix.ESTALE}
}

func (g *guard) leave() { _ = unix.Close(g.fd) }

// openGuard opens the guard, and makes it if it is missing.
func (p paths) openGuard(st *unix.Stat_t) (int, error) {
	for {
		fd, err := open(p.id, unix.O_RDWR, st)
		if !errors.Is(err, unix.ENOENT) {
			return fd, err
		}
		fd, err = retry(func() (int, error) {
			return unix.Open(p.id, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|openFlags, 0o600)
		})
		switch err {
		case nil:
			err = unix.Fchmod(fd, 0o600) // the umask may have taken bits that the next one needs
			if err == nil {
				err = unix.Fstat(fd, st)
			}
			if err != nil {
				_ = unix.Close(fd)
				return -1, &os.PathError{Op: "chmod", Path: p.id, Err: err}
			}
			return fd, nil
		case unix.EEXIST:
		default:
			return -1, &os.PathError{Op: "open", Path: p.id, Err: err}
		}
	}
}

func (g *guard) lock() error {
	got, err := flock.TryLock(g.fd, flock.Exclusive)
	if err != nil || got {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = flock.Lock(ctx, g.fd, flock.Exclusive)
	if errors.Is(err, context.DeadlineExceeded) {
		return &BadError{g.at.id, "is locked by somebody who does not get on"}
	}
	return err
}

// tidy removes what somebody left who was killed here. It may be a second link of the pid file.
func (g *guard) tidy() error {
	if err := unix.Unlink(g.at.spare); err != nil && err != unix.ENOENT {
		return &os.PathError{Op: "remove", Path: g.at.spare, Err: err}
	}
	return nil
}

// identity reads the identity, nil if there is none that can be read.
func (g *guard) identity() (*identity, error) {
	b, err := readAll(g.fd, g.at.id, maxIdentity)
	if err != nil {
		return nil, err
	}
	id, err := decode(b)
	if err != nil {
		return nil, nil
	}
	return &id, nil
}

// write writes the identity, before the pid file that it is about is there.
func (g *guard) write(id *identity, durable bool) error {
	b := id.encode()
	if err := writeAll(g.fd, g.at.id, b); err != nil {
		return err
	}
	// What may be left of a longer one is behind the length that the first line says.
	_ = unix.Ftruncate(g.fd, int64(len(b)))
	if !durable {
		return nil
	}
	return flush(g.fd, g.at.id)
}

// flush sees a file to the disk. After a power cut a pid file without its pid, or without
// its identity, would have to be removed by hand.
func flush(fd int, path string) error {
	if err := unix.Fsync(fd); err != nil && err != unix.EINVAL {
		return &os.PathError{Op: "fsync", Path: path, Err: err}
	}
	return nil
}

// seen is the pid file that was found.
type seen struct {
	stamp
	content
	size    int64
	problem string
}

// look reads the pid file, nil if there is none.
func (g *guard) look() (*seen, error) {
	var st unix.Stat_t
	fd, err := open(g.at.file, unix.O_RDONLY, &st)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	b, err := readAll(fd, g.at.file, maxContent)
	if err != nil {
		return nil, err
	}
	s := &seen{stamp: stampOf(&st), size: st.Size}
	s.content, s.problem = parseContent(b)
	return s, nil
}

// takeAway removes exactly the file that was seen, and reports whether it did: who does
// not know the guard may have put another one there.
func (g *guard) takeAway(s *seen) (bool, error) {
	if err := unix.Rename(g.at.file, g.at.spare); err != nil {
		if err == unix.ENOENT {
			return false, nil
		}
		return false, &os.PathError{Op: "rename", Path: g.at.file, Err: err}
	}
	var st unix.Stat_t
	same := unix.Lstat(g.at.spare, &st) == nil && stampOf(&st) == s.stamp && st.Size == s.size
	if !same {
		_ = unix.Link(g.at.spare, g.at.file) // back, unless there is a third one by now
	}
	return same, g.tidy()
}

// prepare makes a pid file under the spare path, and returns it open.
func (g *guard) prepare(pid int, durable bool) (int, stamp, error) {
	path := g.at.spare
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|openFlags, 0o644)
	})
	if err != nil {
		return -1, stamp{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	err = writeAll(fd, path, []byte(itoa(pid)+"\n"))
	if err == nil && durable {
		err = flush(fd, path)
	}
	if err == nil {
		err = os.NewSyscallError("fstat", unix.Fstat(fd, &st))
	}
	if err == nil && st.Mode&0o400 == 0 { // the next start must be able to read it
		err = os.NewSyscallError("fchmod", unix.Fchmod(fd, st.Mode&0o777|0o600))
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, stamp{}, errors.Join(err, g.tidy())
	}
	return fd, stampOf(&st), nil
}
