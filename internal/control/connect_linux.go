package control

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Client is a connection to a server that has said who it is.
type Client struct {
	Greeting Greeting
	Peer     Peer
	address  string
	c        *conn
	r        *reader
}

// Connect finds who listens at addr, and reads his greeting. It waits for both until ctx
// ends. Errors: [ErrNobody], *SilentError if the deadline of ctx passed, *StrangerError if
// that is neither root nor the caller, *RemoteError if he does not answer this user,
// *PlaceError, *ProtocolError (nobody of ours, but somebody), those of the system, and that
// of ctx if it was cancelled.
func Connect(ctx context.Context, addr Address) (*Client, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		c, err := connectOnce(ctx, addr)
		if !errors.Is(err, errHungUp) {
			return c, err
		}
		// It is ending, or too many connect: the next try tells.
		select {
		case <-ctx.Done():
			return nil, silent(ctx, addr, Peer{})
		case <-time.After(pause):
		}
	}
}

// errHungUp means that the connection ended without a greeting.
var errHungUp = errors.New("hung up")

func connectOnce(ctx context.Context, addr Address) (*Client, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	client, err := greet(ctx, addr, c)
	if err != nil {
		_ = c.Close()
	}
	return client, err
}

// greet judges the other end, and only then reads what it says.
func greet(ctx context.Context, addr Address, c *conn) (*Client, error) {
	peer, err := c.peer()
	if err != nil {
		return nil, err
	}
	if !peer.Trusted() {
		return nil, &StrangerError{addr.String(), peer}
	}
	defer endWith(ctx, c)()
	r := &reader{src: c}
	line, err := r.line()
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, silent(ctx, addr, peer)
	case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return nil, errHungUp
	case err == io.ErrUnexpectedEOF, err == errTooLong:
		return nil, &ProtocolError{"there is no greeting"}
	case err != nil:
		return nil, err
	}
	if kind, rest, _ := strings.Cut(line, " "); kind == errorFrame {
		return nil, remoteError(rest) // not for this user
	}
	g, err := ParseGreeting(line)
	if err != nil {
		return nil, err
	}
	return &Client{Greeting: g, Peer: peer, address: addr.String(), c: c, r: r}, nil
}

// silent is the error for ctx's end.
func silent(ctx context.Context, addr Address, peer Peer) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &SilentError{addr.String(), peer}
	}
	return ctx.Err()
}

// endWith ends reading and writing when ctx does. The returned function undoes it.
func endWith(ctx context.Context, c *conn) (undo func()) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		_ = c.f.SetDeadline(longAgo)
	})
	return func() {
		if !stop() {
			<-over // or it would end what comes next
			_ = c.f.SetDeadline(time.Time{})
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.c.Close() }

// Pidfd opens the process that began to listen, where the system can (Linux 6.5).
func (c *Client) Pidfd() (int, error) { return c.c.pidfd() }

// connectSlice is for how long a connect waits for room before it looks at its context.
const connectSlice = 50 * time.Millisecond

// dial connects. The kernel lets those who find no room wait in order, without polling.
func dial(ctx context.Context, addr Address) (*conn, error) {
	sa, done, err := reach(addr)
	if err != nil {
		return nil, err
	}
	defer done()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := connectFD(ctx, fd, addr, sa); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return newConn(fd, addr.String())
}

func connectFD(ctx context.Context, fd int, addr Address, sa unix.Sockaddr) error {
	tv := unix.NsecToTimeval(int64(connectSlice))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	for {
		switch err := unix.Connect(fd, sa); err {
		case nil:
			return os.NewSyscallError("fcntl", unix.SetNonblock(fd, true))
		case unix.ECONNREFUSED, unix.ENOENT:
			return ErrNobody
		case unix.EAGAIN, unix.EINTR: // no room in the backlog: somebody is there
			if ctx.Err() != nil {
				return silent(ctx, addr, Peer{})
			}
		case unix.EPROTOTYPE:
			return &PlaceError{addr.String(), "is a socket of another type"}
		default:
			return &os.PathError{Op: "connect", Path: addr.String(), Err: err}
		}
	}
}

// reach makes the address that the system takes. A socket file is opened and judged first;
// going by its descriptor then means that file and no other, and spares the limit of a
// path's length.
func reach(addr Address) (sa unix.Sockaddr, done func(), err error) {
	if addr.IsAbstract() {
		return &unix.SockaddrUnix{Name: addr.text}, func() {}, nil
	}
	fd, err := unix.Open(addr.text, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil, ErrNobody
	}
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: addr.text, Err: err}
	}
	if err := judge(fd, addr); err != nil {
		_ = unix.Close(fd)
		return nil, nil, err
	}
	return &unix.SockaddrUnix{Name: procFD(fd)}, func() { _ = unix.Close(fd) }, nil
}

// judge says whether what is at the path is a socket of root or of the caller.
func judge(fd int, addr Address) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "fstat", Path: addr.text, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return &PlaceError{addr.text, "is not a socket"}
	}
	if owner := (Peer{UID: int(st.Uid), GID: int(st.Gid)}); !owner.Trusted() {
		return &StrangerError{addr.text, owner}
	}
	return nil
}

func procFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
