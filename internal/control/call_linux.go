package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Call is one request to the program itself.
type Call struct {
	Peer  Peer
	Words []string
	Dir   string   // the client's working directory, "" if it did not say
	Env   []string // NAME=VALUE, what the client chose to send
	// Stdin is empty if the client sends none. It, Stdout and Stderr end with the call.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// do answers a call in one line. It reports whether the session goes on.
func (c *session) do(words []string) bool {
	if len(words) == 0 {
		c.report(&ProtocolError{"there are no words"})
		return false
	}
	return c.run(&Call{Peer: c.peer, Words: words, Stdin: noInput{}}, nil)
}

// call reads the frames of a call and answers it. The session ends with it, since
// the client may have sent input that nobody wanted.
func (c *session) call() {
	h := &header{s: c.s}
	defer h.free()
	call, input, err := h.read(&c.r)
	if err != nil {
		c.report(err)
		return
	}
	call.Peer = c.peer
	if !input {
		c.run(call, nil)
		return
	}
	in := newInput()
	call.Stdin = in
	c.run(call, in)
}

// run lets the handler answer a call, and watches meanwhile whether the client is still
// there. It reports whether the session goes on.
func (c *session) run(call *Call, in *input) bool {
	if !c.begin() {
		return false
	}
	ctx, cancel := context.WithCancelCause(c.s.ctx)
	defer cancel(nil)
	out := &answer{c: c, ctx: ctx, cancel: cancel}
	call.Stdout, call.Stderr = writer{out, outFrame}, writer{out, errFrame}
	if in != nil {
		in.ctx, in.out = ctx, out
	}
	if !out.frame(Frame{Kind: beginFrame}) {
		return false
	}
	c.conn.readBy(time.Time{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(in, cancel)
	}()
	if limit := c.s.cfg.Limits.Call; limit > 0 {
		timer := time.AfterFunc(limit, func() {
			cancel(ErrTimeout)
			out.finish(tooLong(limit))
		})
		defer timer.Stop()
	}
	defer func() { // also when the handler ends its goroutine
		c.conn.readBy(longAgo)
		<-watched
	}()
	c.handle(ctx, call, out)
	return out.whole
}

// handle runs the handler and sends how it ended: also its panic, and its end by
// runtime.Goexit.
func (c *session) handle(ctx context.Context, call *Call, out *answer) {
	last := errorLine(Panicked, "the handler ended its goroutine")
	defer func() {
		if r := recover(); r != nil {
			last = errorLine(Panicked, fmt.Sprint(r))
		}
		out.finish(last)
	}()
	code, err := c.s.cfg.Call(ctx, call)
	switch {
	case context.Cause(ctx) == ErrTimeout:
		last = tooLong(c.s.cfg.Limits.Call)
	case err != nil:
		last = asError(err)
	case code < 0 || code > 255:
		last = errorLine(Failed, "the handler's exit code is "+strconv.Itoa(code))
	default:
		last = Frame{Kind: exitFrame, Rest: strconv.Itoa(code)}.append(nil)
	}
}

func tooLong(limit time.Duration) []byte {
	return errorLine(TimedOut, "it took longer than "+limit.String())
}

// watch takes the input of a call, and ends its context when the client has gone or does
// what is not allowed. It returns when the deadline for reading is over.
func (c *session) watch(in *input, cancel context.CancelCauseFunc) {
	if in != nil {
		var bad *ProtocolError
		switch err := in.fill(&c.r); {
		case errors.As(err, &bad):
			cancel(err)
			return
		case isTimeout(err):
			return
		case err != nil:
			cancel(ErrGone)
			return
		}
	}
	if err := c.conn.awaitHangup(); err == nil {
		cancel(ErrGone)
	}
}
