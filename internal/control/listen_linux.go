package control

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Handshake is how long [Listen] waits for the greeting of somebody who has the socket.
// After that he is busy all the same.
const Handshake = time.Second

// backlog is how many connections wait for being accepted.
const backlog = 128

// Listener is a socket at which nobody else listens.
type Listener struct {
	addr     Address
	guard    string
	c        *conn // the listening socket
	dev, ino uint64
	close    sync.Once
}

// Listen looks whether somebody answers at addr, and if not, listens there. For a path the
// two have to be one step, or two starts would both find a stale socket and both replace it:
// guard is the path of a file that is locked meanwhile, and made if it is missing. With "" the
// caller holds a lock of its own that keeps all other starts out. An abstract address
// needs none: the kernel lets one have it.
//
// If somebody has the socket, also if he does not answer, the error is a *BusyError; a
// *StrangerError or *PlaceError if what is there is not ours. ctx bounds the wait for the guard.
func Listen(ctx context.Context, addr Address, guard string) (*Listener, error) {
	if addr.IsAbstract() {
		return listenAbstract(ctx, addr)
	}
	if guard != "" {
		g, err := lockGuard(ctx, guard)
		if err != nil {
			return nil, err
		}
		defer g.unlock()
	}
	return listenAt(ctx, addr, guard)
}

// listenAt is Listen under the guard.
func listenAt(ctx context.Context, addr Address, guard string) (*Listener, error) {
	if err := probe(ctx, addr); err != ErrNobody {
		return nil, err
	}
	dir, file := addr.split()
	dirFD, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(dirFD)
	return bindAt(dirFD, file, addr, guard)
}

// probe returns ErrNobody if nobody has the socket.
func probe(ctx context.Context, addr Address) error {
	ctx, cancel := context.WithTimeout(ctx, Handshake)
	defer cancel()
	c, err := Connect(ctx, addr)
	var silent *SilentError
	var other *ProtocolError
	var refused *RemoteError
	switch {
	case err == nil:
		defer c.Close()
		return &BusyError{Address: addr.String(), Greeting: c.Greeting, Peer: c.Peer}
	case errors.As(err, &silent):
		return &BusyError{Address: addr.String(), Peer: silent.Peer, Err: err}
	case errors.As(err, &other), errors.As(err, &refused):
		return &BusyError{Address: addr.String(), Err: err}
	}
	return err
}

// bindAt makes the socket under another name, and gives it its own when it listens: whoever
// finds it finds it complete, and what was there before is replaced in one step. Going by
// the descriptor of the directory spares the limit of a path's length.
func bindAt(dirFD int, file string, addr Address, guard string) (*Listener, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	temp := tempName(file)
	l, err := func() (*Listener, error) {
		if err := unix.Unlinkat(dirFD, temp, 0); err != nil && err != unix.ENOENT {
			return nil, &os.PathError{Op: "remove", Path: temp, Err: err}
		}
		// The mode of the file is that of the socket, less the umask.
		if err := unix.Fchmod(fd, 0o600); err != nil {
			return nil, os.NewSyscallError("fchmod", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: procFD(dirFD) + "/" + temp}); err != nil {
			return nil, &os.PathError{Op: "bind", Path: addr.String(), Err: err}
		}
		return name(fd, dirFD, temp, file, addr, guard)
	}()
	if err != nil {
		_ = unix.Unlinkat(dirFD, temp, 0)
		_ = unix.Close(fd)
	}
	return l, err
}

// name lets a bound socket listen, and puts it at its place.
func name(fd, dirFD int, temp, file string, addr Address, guard string) (*Listener, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dirFD, temp, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, &os.PathError{Op: "stat", Path: addr.String(), Err: err}
	}
	if st.Mode&0o600 != 0o600 { // the umask took what the owner needs
		if err := unix.Fchmodat(dirFD, temp, 0o600, 0); err != nil {
			return nil, &os.PathError{Op: "chmod", Path: addr.String(), Err: err}
		}
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	if err := unix.Renameat(dirFD, temp, dirFD, file); err != nil {
		return nil, &os.PathError{Op: "rename", Path: addr.String(), Err: err}
	}
	c, err := newConn(fd, addr.String())
	if err != nil {
		return nil, err
	}
	return &Listener{addr: addr, guard: guard, c: c, dev: st.Dev, ino: st.Ino}, nil
}

func newSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	return fd, os.NewSyscallError("socket", err)
}

// tempName is short, and the same at each start, so that what a killed one leaves behind
// is replaced by the next.
func tempName(file string) string {
	h := fnv.New64a()
	h.Write([]byte(file))
	return ".sole-" + strconv.FormatUint(h.Sum64(), 16)
}

func listenAbstract(ctx context.Context, addr Address) (*Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, Handshake)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		l, err := bindAbstract(addr)
		if !errors.Is(err, unix.EADDRINUSE) {
			return l, err
		}
		if err := probe(ctx, addr); err != ErrNobody {
			return nil, err
		}
		// Whoever has it is just beginning or ending, or never listens.
		select {
		case <-ctx.Done():
			return nil, &BusyError{Address: addr.String(), Err: silent(ctx, addr, Peer{})}
		case <-time.After(pause):
		}
	}
}

func bindAbstract(addr Address) (*Listener, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrUnix{Name: addr.text}))
	if err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, backlog))
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	c, err := newConn(fd, addr.String())
	if err != nil {
		return nil, err
	}
	return &Listener{addr: addr, c: c}, nil
}

// Address is where it listens.
func (l *Listener) Address() Address { return l.addr }

// Control calls f with the descriptor, which f must not close or keep.
func (l *Listener) Control(f func(fd int)) error {
	return l.c.raw.Control(func(fd uintptr) { f(int(fd)) })
}

// accept waits for a connection.
func (l *Listener) accept() (fd int, err error) {
	outer := l.c.raw.Read(func(s uintptr) bool {
		for {
			fd, _, err = unix.Accept4(int(s), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != unix.EINTR && err != unix.ECONNABORTED {
				return err != unix.EAGAIN
			}
		}
	})
	if outer != nil {
		return -1, outer
	}
	return fd, err
}

// Close removes the socket file if it is still the one that was made, and stops listening,
// also for processes that inherited the descriptor. Closing again does nothing.
func (l *Listener) Close() error {
	var err error
	l.close.Do(func() {
		err = l.remove()
		l.c.shut()
		err = errors.Join(err, l.c.Close())
	})
	return err
}

// remove compares the file with the socket while that is open, so that no other file can
// have its inode number yet; and under the guard, so that nobody replaces it in between.
// If the guard is not to be had, the file stays: a stale one is in nobody's way.
func (l *Listener) remove() error {
	if l.addr.IsAbstract() {
		return nil
	}
	if l.guard != "" {
		ctx, cancel := context.WithTimeout(context.Background(), Handshake)
		defer cancel()
		g, err := lockGuard(ctx, l.guard)
		if err != nil {
			return nil
		}
		defer g.unlock()
	}
	var st unix.Stat_t
	if err := unix.Lstat(l.addr.text, &st); err != nil || st.Dev != l.dev || st.Ino != l.ino {
		return nil
	}
	if err := unix.Unlink(l.addr.text); err != nil && err != unix.ENOENT {
		return &os.PathError{Op: "remove", Path: l.addr.text, Err: err}
	}
	return nil
}
