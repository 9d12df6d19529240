package control

import (
	"context"
	"io"
	"strconv"
	"sync"
)

// noInput is the standard input of a call without one.
type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// input is the standard input of a call. The client may send a Window of it, and then as
// much as was read.
type input struct {
	ctx context.Context
	out *answer

	mu     sync.Mutex
	buf    []byte
	credit int   // what the client may still send
	taken  int   // what was read and not asked for again
	end    error // behind buf; nil if more may come
	more   chan struct{}
}

func newInput() *input { return &input{credit: Window, more: make(chan struct{}, 1)} }

// fill takes frames until the end of the input. The error is that of the reader, of the
// client's deeds, or nil.
func (in *input) fill(r *reader) error {
	for {
		f, err := r.frame(in.room)
		if err != nil {
			in.finish(io.ErrUnexpectedEOF)
			if err == io.EOF { // it does not send any more, and may be there
				return nil
			}
			return err
		}
		if f.Kind == eofFrame && f.Rest == "" {
			in.finish(io.EOF)
			return nil
		}
		if f.Kind != inFrame {
			err := &ProtocolError{quote(f.Kind) + " does not belong into the input"}
			in.finish(err)
			return err
		}
		in.mu.Lock()
		in.buf = append(in.buf, f.Data...)
		in.mu.Unlock()
		in.wake()
	}
}

// room takes n from the credit.
func (in *input) room(kind string, n int) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if kind != inFrame || n > in.credit {
		return &ProtocolError{"more input than was asked for"}
	}
	in.credit -= n
	return nil
}

func (in *input) finish(err error) {
	in.mu.Lock()
	in.end = err
	in.mu.Unlock()
	in.wake()
}

func (in *input) wake() {
	select {
	case in.more <- struct{}{}:
	default:
	}
}

// Read waits for input until the call's context ends.
func (in *input) Read(p []byte) (int, error) {
	for {
		if err := context.Cause(in.ctx); err != nil {
			return 0, err
		}
		n, want, err := in.take(p)
		if want > 0 {
			in.out.frame(Frame{Kind: wantFrame, Rest: strconv.Itoa(want)})
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-in.more:
		case <-in.ctx.Done():
		}
	}
}

// take reads what is there, and says how much more to ask for.
func (in *input) take(p []byte) (n, want int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	n = copy(p, in.buf)
	in.buf = in.buf[n:]
	if len(in.buf) == 0 {
		in.buf, err = nil, in.end
	}
	if n > 0 {
		err = nil
	}
	if in.taken += n; in.taken >= Window/2 && in.end == nil {
		want, in.taken = in.taken, 0
		in.credit += want
	}
	return n, want, err
}
