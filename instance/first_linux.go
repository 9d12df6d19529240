package instance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/control"
)

// First is a program that is the first of its name, and serves the later starts.
type First struct {
	lock   *sole.Lock
	server *control.Server
	unlook func() // ends the watch of the lock file
	unhook func() // and that of the context

	ctx   context.Context // ends when the first is to stop
	ended context.CancelCauseFunc
	close sync.Once
	err   error // of Close
}

// serve makes the holder of lock the first. It gives the lock up if that fails.
func serve(ctx context.Context, o options, lock *sole.Lock, handler Handler) (*First, error) {
	l, err := control.Listen(ctx, control.At(socketPath(lock.Path())), "")
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	f := &First{lock: lock}
	ready := make(chan struct{})
	defer close(ready)
	f.ctx, f.ended = context.WithCancelCause(context.WithoutCancel(ctx))
	f.server = control.Serve(l, control.Config{
		Greeting: control.Greeting{Name: lock.Name(), PID: os.Getpid(), Run: lock.Run()},
		Commands: map[string]func(context.Context, control.Peer, []string) (string, error){
			"status": func(context.Context, control.Peer, []string) (string, error) { return f.status(o) },
			"stop": func(context.Context, control.Peer, []string) (string, error) {
				<-ready
				f.Stop()
				return "", nil
			},
		},
		Call:    func(ctx context.Context, c *control.Call) (int, error) { return handle(ctx, handler, c) },
		Context: ctx,
		Limits:  control.Limits{Call: o.timeout},
	})
	f.unlook = lock.Watch(f.stop)
	stop := context.AfterFunc(ctx, func() { f.stop(context.Cause(ctx)) })
	f.unhook = func() { stop() }
	return f, nil
}

// Name is the name.
func (f *First) Name() string { return f.lock.Name() }

// Run is the number of this run: [sole.Lock.Run].
func (f *First) Run() uint64 { return f.lock.Run() }

// Done is closed when the first is to end: by [First.Stop], by `stop` at its socket, because
// the context of [Start] ended, or because somebody deleted the lock file and another one got the
// name. The program then finishes what it has to, and calls [First.Close].
func (f *First) Done() <-chan struct{} { return f.ctx.Done() }

// Cause says why Done is closed: [ErrStopped], the context's cause, or a
// *sole.DisturbedError.
func (f *First) Cause() error { return context.Cause(f.ctx) }

// Stop takes no more messages, and ends the contexts of those under way. It does not wait for
// them, and so can be called by a handler. Starts that come now wait until Close gives the name up.
func (f *First) Stop() { f.stop(ErrStopped) }

func (f *First) stop(cause error) {
	_ = f.server.Stop() // Close says what it returns
	f.ended(cause)
}

// Close stops, waits until the handlers have returned and their answers are sent, and
// gives the name up. It must not be called by a handler. Closing again does nothing.
func (f *First) Close() error {
	f.close.Do(func() {
		f.unhook()
		f.err = f.server.Close()
		f.ended(ErrStopped)
		f.unlook()
		f.err = errors.Join(f.err, f.lock.Release())
	})
	return f.err
}

// status is what `sole status --json` says.
func (f *First) status(o options) (string, error) {
	st, err := sole.Inspect(f.lock.Name(), o.place())
	if err != nil {
		return "", err
	}
	if st.Leftover == nil {
		st.Leftover = []int{} // a list in JSON too
	}
	b, err := json.Marshal(st)
	return string(b), err
}

// handle lets the handler answer one message.
func handle(ctx context.Context, handler Handler, c *control.Call) (int, error) {
	err := handler(ctx, &Message{
		Words: c.Words, Dir: c.Dir, Env: c.Env,
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
		PID: c.Peer.PID, UID: c.Peer.UID,
	})
	var code ExitCode
	if errors.As(err, &code) {
		return int(code), nil
	}
	return 0, err
}
