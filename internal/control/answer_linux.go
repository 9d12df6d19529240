package control

import (
	"context"
	"os"
	"sync"
)

// answer sends the frames of one call's answer.
type answer struct {
	c      *session
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	done  bool // nothing more is sent
	whole bool // the end was sent
	buf   []byte
}

// frame reports whether it was sent.
func (a *answer) frame(f Frame) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return false
	}
	a.buf = f.append(a.buf[:0])
	if !a.c.send(a.buf) {
		a.done = true
		a.cancel(ErrGone) // or it does not read
		a.c.conn.shut()
	}
	return !a.done
}

// finish sends the end of the answer, once.
func (a *answer) finish(line []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return
	}
	a.done = true
	a.whole = a.c.send(line)
	if !a.whole {
		a.c.conn.shut()
	}
}

// writer is the standard output or standard error of a call.
type writer struct {
	a    *answer
	kind string
}

// maxWrite is how much is sent in a frame.
const maxWrite = 32 << 10

// Write sends p to the client. It fails when the call has ended, or the client has gone or
// does not read.
func (w writer) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		piece := p[n:min(n+maxWrite, len(p))]
		if !w.a.frame(Frame{Kind: w.kind, Data: piece}) {
			if cause := context.Cause(w.a.ctx); cause != nil {
				return n, cause
			}
			return n, os.ErrClosed
		}
		n += len(piece)
	}
	return len(p), nil
}
