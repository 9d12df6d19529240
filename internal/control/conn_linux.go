package control

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// conn is a connected socket. It waits by the runtime's poller, as package net does, by
// way of an os.File.
type conn struct {
	f   *os.File
	raw syscall.RawConn
}

// newConn takes over fd, which must be in non-blocking mode.
func newConn(fd int, name string) (*conn, error) {
	f := os.NewFile(uintptr(fd), name)
	if f == nil {
		return nil, os.NewSyscallError("socket", unix.EBADF)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &conn{f, raw}, nil
}

func (c *conn) Close() error { return c.f.Close() }

func (c *conn) Read(p []byte) (n int, err error) {
	outer := c.raw.Read(func(fd uintptr) bool {
		for {
			n, err = unix.Read(int(fd), p)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	switch {
	case outer != nil:
		return 0, outer
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write sends all of p. No SIGPIPE is raised, whatever the number of the descriptor.
func (c *conn) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		var n int
		var err error
		outer := c.raw.Write(func(fd uintptr) bool {
			n, err = sendSome(int(fd), p[sent:])
			return err != unix.EAGAIN
		})
		if outer != nil {
			return sent, outer
		}
		if err != nil {
			return sent, os.NewSyscallError("send", err)
		}
		sent += n
	}
	return sent, nil
}

func sendSome(fd int, p []byte) (int, error) {
	for {
		n, err := unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// offer sends p if that is possible at once.
func (c *conn) offer(p []byte) {
	_ = c.raw.Control(func(fd uintptr) { _, _ = sendSome(int(fd), p) })
}

// shut ends what is under way at both ends, and leaves the descriptor open.
func (c *conn) shut() {
	_ = c.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
}

// awaitHangup waits until the other end has closed its socket, which is more than not
// sending any longer. It takes nothing from what is sent. The error is that of the deadline,
// or of the close at this end.
func (c *conn) awaitHangup() error {
	return c.raw.Read(func(fd uintptr) bool {
		p := []unix.PollFd{{Fd: int32(fd)}}
		for {
			if _, err := unix.Poll(p, 0); err != unix.EINTR {
				return p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
			}
		}
	})
}

func (c *conn) readBy(t time.Time)  { _ = c.f.SetReadDeadline(t) }
func (c *conn) writeBy(t time.Time) { _ = c.f.SetWriteDeadline(t) }

// long ago is a deadline that is over.
var longAgo = time.Unix(1, 0)

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// peer is who is at the other end.
func (c *conn) peer() (Peer, error) {
	var cred *unix.Ucred
	var err error
	outer := c.raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(outer, err); err != nil {
		return Peer{}, os.NewSyscallError("getsockopt", err)
	}
	return Peer{UID: int(cred.Uid), GID: int(cred.Gid), PID: int(cred.Pid)}, nil
}

// pidfd opens the process at the other end, which the kernel remembers by itself and not by
// its pid (SO_PEERPIDFD, Linux 6.5).
func (c *conn) pidfd() (int, error) {
	fd := -1
	var err error
	outer := c.raw.Control(func(s uintptr) { fd, err = unix.GetsockoptInt(int(s), unix.SOL_SOCKET, unix.SO_PEERPIDFD) })
	if err = errors.Join(outer, err); err != nil {
		return -1, os.NewSyscallError("getsockopt", err)
	}
	return fd, nil
}

// Trusted reports whether the peer is root or the caller.
func (p Peer) Trusted() bool { return p.UID == 0 || p.UID == os.Geteuid() }
