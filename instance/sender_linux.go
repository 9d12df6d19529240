package instance

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/control"
)

// sender sends one message.
type sender struct {
	name string
	o    options
	addr control.Address
	out  [2]bounded // the answer, without Output
}

func newSender(name string, o options) (*sender, error) {
	path, err := sole.Path(name, o.place())
	if err != nil {
		return nil, err
	}
	return &sender{name: name, o: o, addr: control.At(socketPath(path))}, nil
}

// socketPath is where the socket is, beside the lock file.
func socketPath(lockFile string) string {
	return strings.TrimSuffix(lockFile, ".lock") + ".sock"
}

// exchange sends the message, and closes the connection.
func (s *sender) exchange(ctx context.Context, c *control.Client) error {
	defer c.Close()
	if g := c.Greeting; g.Name != s.name || !g.Has(control.TakesCalls) {
		return errNoMessages
	}
	req := &control.CallRequest{
		Words: s.o.words, Dir: s.o.workdir(), Env: s.o.environ(), Stdin: s.o.stdin,
		Stdout: s.o.stdout, Stderr: s.o.stderr,
	}
	if !s.o.output {
		req.Stdout, req.Stderr = &s.out[0], &s.out[1]
	}
	code, err := c.Call(ctx, req)
	if err != nil {
		return err
	}
	return &AnsweredError{Name: s.name, PID: c.Peer.PID, Code: code}
}

// errNoMessages means that who listens takes no messages, or is not of this name.
var errNoMessages = errors.New("it takes no messages")

// busyPause is for how long a first that has too much to do is left alone.
const busyPause = 20 * time.Millisecond

// tryAgain reports whether the message was not taken and may be sent again.
func (s *sender) tryAgain(ctx context.Context, err error) bool {
	var lost *control.LostError
	var remote *control.RemoteError
	again := errors.As(err, &lost) && !lost.Begun || errors.As(err, &remote) && remote.Code == control.Busy
	if !again {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(busyPause):
		return true
	}
}

// answered is the error that says how the exchange ended.
func (s *sender) answered(c *control.Client, err error) error {
	var a *AnsweredError
	if errors.As(err, &a) {
		a.Stdout, a.Stderr = s.out[0].Bytes(), s.out[1].Bytes()
		a.Cut = s.out[0].cut || s.out[1].cut
		return a
	}
	if err == errNoMessages {
		return s.noAnswer(nil)
	}
	return translate(s.name, err)
}

// notFound is the error for neither having found a first nor become one.
func (s *sender) notFound(ctx context.Context, err error) error {
	var busy *sole.BusyError
	var silent *control.SilentError
	var taken *control.BusyError
	var other *control.ProtocolError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &busy):
		return s.noAnswer(nil)
	case errors.As(err, &silent), errors.As(err, &taken), errors.As(err, &other):
		return s.noAnswer(err)
	}
	return translate(s.name, err)
}

func (s *sender) noAnswer(err error) error {
	st, _ := sole.Inspect(s.name, s.o.place())
	return &NoAnswerError{Name: s.name, Holder: st, Err: err}
}

// translate makes errors of the protocol ones of this package.
func translate(name string, err error) error {
	var (
		remote   *control.RemoteError
		lost     *control.LostError
		stranger *control.StrangerError
		place    *control.PlaceError
		bad      *control.ProtocolError
	)
	switch {
	case errors.As(err, &remote):
		return &FailedError{name, reason(remote.Code), remote.Text}
	case errors.As(err, &lost):
		return &LostError{name, lost.Err}
	case errors.As(err, &stranger):
		return &sole.UnsafeError{Path: stranger.Address, Problem: strings.TrimPrefix(stranger.Error(), stranger.Address+" "),
			Remedy: "act as that user, or use a directory of your own"}
	case errors.As(err, &place):
		return &sole.UnsafeError{Path: place.Path, Problem: place.Problem, Remedy: "find out who put it there, and remove it"}
	case errors.As(err, &bad):
		return &FailedError{name, Refused, bad.Problem}
	}
	return err
}

func reason(code control.Code) Reason {
	switch code {
	case control.Panicked, control.TimedOut, control.Stopping, control.Busy, control.TooLarge, control.Failed:
		return Reason(code)
	case control.BadRequest, control.Unknown, control.NotPermitted, control.Slow:
		return Refused
	}
	return Failed
}

// maxKept is how much of an answer is kept.
const maxKept = 1 << 20

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), maxKept-b.Len())
	b.Buffer.Write(p[:keep])
	b.cut = b.cut || keep < len(p)
	return len(p), nil
}
