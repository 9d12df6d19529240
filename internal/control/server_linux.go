package control

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Config is what a server says and does.
type Config struct {
	Greeting Greeting // Version and Features are filled in
	// Commands answer the requests of their names with one line, which is sent behind
	// "ok", or alone if it begins with "{". An error is sent with the code of a *RemoteError,
	// or as Failed. They must return soon.
	Commands map[string]func(ctx context.Context, peer Peer, words []string) (string, error)
	// Call answers `do` and `call` with what it writes and an exit code. Without it they
	// are unknown. It runs once for each, several at the same time.
	Call func(ctx context.Context, call *Call) (code int, err error)
	// Context is what the contexts of commands and calls are made from, if it is set.
	Context context.Context
	// Allow says who may ask; without it root and the server's own user.
	Allow  func(Peer) bool
	Limits Limits
}

// Server answers at a listener.
type Server struct {
	l   *Listener
	cfg Config
	ctx context.Context // of all that is under way
	end context.CancelCauseFunc
	wg  sync.WaitGroup

	pending atomic.Int64 // what calls have, in bytes
	// room has a place for each session, and as many again for those that were
	// dismissed and are just ending.
	room chan struct{}

	mu      sync.Mutex
	conns   map[*session]struct{}
	closing bool
}

// Serve answers at l until [Server.Close]. It takes l over.
func Serve(l *Listener, cfg Config) *Server {
	cfg.Limits = cfg.Limits.withDefaults()
	cfg.Greeting.Version, cfg.Greeting.Features = Version, nil
	if cfg.Call != nil {
		cfg.Greeting.Features = []string{TakesCalls}
	}
	if cfg.Allow == nil {
		cfg.Allow = Peer.Trusted
	}
	s := &Server{l: l, cfg: cfg, conns: make(map[*session]struct{}), room: make(chan struct{}, 2*cfg.Limits.Conns)}
	if cfg.Context == nil {
		cfg.Context = context.Background()
	}
	s.ctx, s.end = context.WithCancelCause(cfg.Context)
	s.wg.Add(1)
	go s.accept()
	return s
}

// Stop stops listening, ends the contexts of what is under way with [ErrStopped], and
// tells the others that the holder is stopping. Stopping again does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	for c := range s.conns {
		if !c.working {
			c.dismiss(Stopping, "the holder is stopping")
		}
		c.conn.writeBy(time.Now().Add(closingWrite))
	}
	s.mu.Unlock()
	err := s.l.Close() // first: who gets the last answer finds nobody after it
	s.end(ErrStopped)
	return err
}

// Close stops, and returns when all that was under way has returned and been answered. What
// does not heed its context is waited for. It must not be called by a command or a call, which
// would wait for themselves.
func (s *Server) Close() error {
	err := s.Stop()
	s.wg.Wait()
	return err
}

// closingWrite is how long a client has to take the last of an answer.
const closingWrite = time.Second

// noDescriptors is how long accept rests when the system has no descriptors left.
const noDescriptors = 50 * time.Millisecond

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		fd, err := s.l.accept()
		switch {
		case err == nil:
			s.admit(fd)
		case errors.Is(err, os.ErrClosed), err == unix.EINVAL: // closed, or about to be
			return
		default: // EMFILE, ENFILE, ENOBUFS, ENOMEM
			s.dropIdle()
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(noDescriptors):
			}
		}
	}
}

// admit judges a new connection, and gives it a goroutine if there is room.
func (s *Server) admit(fd int) {
	conn, err := newConn(fd, s.l.addr.String())
	if err != nil {
		_ = unix.Close(fd)
		return
	}
	peer, err := conn.peer()
	if err != nil || !s.cfg.Allow(peer) {
		conn.offer(errorLine(NotPermitted, "not for this user"))
		_ = conn.Close()
		return
	}
	s.room <- struct{}{}
	conn.offer([]byte(s.cfg.Greeting.String() + "\n"))
	c := &session{s: s, conn: conn, peer: peer, since: time.Now()}
	c.r.src = conn
	conn.readBy(c.since.Add(s.cfg.Limits.Request))

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		s.turnAway(conn, Stopping, "the holder is stopping")
	case !s.makeRoom(peer.UID):
		s.turnAway(conn, Busy, "too many requests are under way")
	default:
		s.conns[c] = struct{}{}
		s.wg.Add(1)
		go c.serve()
	}
}

func (s *Server) turnAway(conn *conn, code Code, text string) {
	conn.offer(errorLine(code, text))
	_ = conn.Close()
	<-s.room
}

// makeRoom reports whether there is room for a connection of uid. If there is not, it
// closes the one that has waited for longest: who connects and asks at once is not
// kept out by those who do not ask.
func (s *Server) makeRoom(uid int) bool {
	all, own := 0, 0
	var idle, idleOwn *session
	for c := range s.conns {
		if c.dismissed {
			continue
		}
		all++
		idle = c.older(idle)
		if c.peer.UID == uid {
			own++
			idleOwn = c.older(idleOwn)
		}
	}
	victim := idle
	switch {
	case own >= s.cfg.Limits.PerUser:
		victim = idleOwn
	case all < s.cfg.Limits.Conns:
		return true
	}
	if victim == nil {
		return false
	}
	victim.dismiss(Busy, "others came, and this one asked nothing")
	return true
}

// dropIdle closes all connections that ask nothing.
func (s *Server) dropIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if !c.working {
			c.dismiss(Busy, "the holder has no descriptors left")
		}
	}
}

// reserve takes n bytes of what calls may have.
func (s *Server) reserve(n int64) bool {
	if s.pending.Add(n) > s.cfg.Limits.Pending {
		s.pending.Add(-n)
		return false
	}
	return true
}
