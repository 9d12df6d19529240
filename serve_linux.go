package sole

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/control"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

// server answers at the socket of a name that this process holds. It never touches the
// Lock: that waits for it when it is released.
type server struct {
	name   string
	addr   string
	dir    *lockdir.Dir
	run    uint64
	server *control.Server
	ctx    context.Context // of what goes on after an answer
	cancel context.CancelFunc
	stops  sync.Once
	wg     sync.WaitGroup
}

// stopGrace is how long after SIGTERM a stop sends SIGKILL, as `sole stop` does.
const stopGrace = 10 * time.Second

// listen takes the socket of the name, and answers there.
func (a *attempt) listen(l *Lock) error {
	addr := control.At(a.dir.Socket(a.name))
	if a.o.method == MethodAbstract {
		addr = abstractAddress(a.dir, a.name)
	}
	ctx := a.ctx
	if ctx == nil {
		ctx = withoutEnd
	}
	// No guard: the lock of the name keeps all others out.
	listener, err := control.Listen(ctx, addr, "")
	if err != nil {
		if l.beside.squatted = squatted(addr, err); l.beside.squatted != nil {
			return nil
		}
		return a.socketFault(addr, err)
	}
	s := &server{name: a.name, addr: addr.String(), dir: a.dir, run: l.rec.Run}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.server = control.Serve(listener, control.Config{
		Greeting: control.Greeting{Name: a.name, PID: l.rec.Holder.PID, Run: l.rec.Run},
		Commands: map[string]func(context.Context, control.Peer, []string) (string, error){
			"status": s.status, "stop": s.stop, "reload": s.reload, "signal": s.signal,
		},
	})
	l.beside.server = s
	return nil
}

// abstractAddress is that of the name; names in different directories are different ones.
func abstractAddress(dir *lockdir.Dir, name string) control.Address {
	key := name
	if own, err := defaultDir(); err != nil || own != dir.Path() {
		key = dir.Path() + "/" + name
	}
	return control.Abstract(int(euid()), key)
}

// squatted returns a *SquattedError if somebody has the abstract address who is not to be
// obeyed: another user, or one who cannot be known, since he does not listen.
func squatted(addr control.Address, err error) error {
	if !addr.IsAbstract() {
		return nil
	}
	var stranger *control.StrangerError
	if errors.As(err, &stranger) {
		return &SquattedError{Address: addr.String(), Known: true, UID: stranger.Peer.UID, PID: stranger.Peer.PID}
	}
	var busy *control.BusyError
	var silent *control.SilentError
	if errors.As(err, &busy) && errors.As(busy.Err, &silent) && silent.Peer == (control.Peer{}) {
		return &SquattedError{Address: addr.String()}
	}
	return nil
}

// socketFault says why there is no socket.
func (a *attempt) socketFault(addr control.Address, err error) error {
	var busy *control.BusyError
	var stranger *control.StrangerError
	var place *control.PlaceError
	switch {
	case errors.As(err, &busy):
		e := &BusyError{Name: a.name, Socket: addr.String()}
		if busy.Err != nil {
			e.Doubt = busy.Err.Error()
		}
		e.Holder = Status{Name: a.name, State: Held, Mode: Alone, Path: addr.String(), Method: a.o.method}
		if busy.Peer.PID > 0 {
			e.Holder = ofProcess(e.Holder, busy.Peer.PID)
		}
		return e
	case errors.As(err, &stranger):
		return &UnsafeError{Path: addr.String(), Problem: fmt.Sprintf("belongs to uid %d", stranger.Peer.UID),
			Remedy: "find out who put it there, and remove it"}
	case errors.As(err, &place):
		return &SocketError{Path: place.Path, Problem: place.Problem}
	}
	return err
}

// Squatted returns a *[SquattedError] if a stranger has the abstract address of
// [MethodAbstract]. The name is held all the same, and nobody answers for it.
func (l *Lock) Squatted() error { return l.beside.squatted }

// Socket is the address at which the name is answered for: a path, or an abstract name
// behind "@"; "" if there is none.
func (l *Lock) Socket() string {
	if l.beside.server == nil {
		return ""
	}
	return l.beside.server.addr
}

func (s *server) close() error {
	s.cancel()
	err := s.server.Close()
	s.wg.Wait()
	return err
}

// now is the run, as far as it is still this one.
func (s *server) now(ctx context.Context) (Status, error) {
	st, err := inspectUntil(ctx, s.dir, s.name, nil)
	if err == nil && (st.State != Held || st.Run != s.run) {
		err = ErrFree
	}
	return st, err
}

func (s *server) status(ctx context.Context, _ control.Peer, words []string) (string, error) {
	if err := noWords(words); err != nil {
		return "", err
	}
	st, err := s.now(ctx)
	if err != nil {
		return "", err
	}
	if st.Leftover == nil { // as the command prints it
		st.Leftover = []int{}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err = e.Encode(st)
	return strings.TrimSpace(b.String()), err
}

// stop has the command ended, and does not wait for it.
func (s *server) stop(ctx context.Context, _ control.Peer, words []string) (string, error) {
	if err := noWords(words); err != nil {
		return "", err
	}
	st, err := s.now(ctx)
	if err == nil {
		err = signalRun(st, 0) // whether it may be signalled at all
	}
	if errors.Is(err, proc.ErrGone) {
		return "", nil // it is ending
	}
	if err != nil {
		return "", err
	}
	s.stops.Do(func() {
		s.wg.Go(func() {
			end := stop{dir: s.dir, grace: stopGrace}
			_ = end.run(s.ctx, st) // it ends with the lock
		})
	})
	return "", nil
}

func (s *server) reload(ctx context.Context, peer control.Peer, words []string) (string, error) {
	if err := noWords(words); err != nil {
		return "", err
	}
	return s.signal(ctx, peer, []string{"HUP"})
}

func (s *server) signal(ctx context.Context, _ control.Peer, words []string) (string, error) {
	if len(words) != 1 {
		return "", &control.RemoteError{Code: control.BadRequest, Text: "signal takes one word: HUP, SIGHUP, or a number"}
	}
	sig, ok := signalNamed(words[0])
	if !ok {
		return "", &control.RemoteError{Code: control.BadRequest, Text: "there is no such signal"}
	}
	st, err := s.now(ctx)
	if err == nil {
		err = signalRun(st, sig)
	}
	if errors.Is(err, proc.ErrGone) {
		err = ErrFree
	}
	return "", err
}

// signalNamed is the signal that a word means, as for `sole signal`.
func signalNamed(word string) (syscall.Signal, bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return syscall.Signal(n), 0 < n && n <= 64
	}
	word = strings.ToUpper(word)
	if !strings.HasPrefix(word, "SIG") {
		word = "SIG" + word
	}
	sig := unix.SignalNum(word)
	return sig, sig != 0
}

func noWords(words []string) error {
	if len(words) == 0 {
		return nil
	}
	return &control.RemoteError{Code: control.BadRequest, Text: "there are too many words"}
}
