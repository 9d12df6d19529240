package instance

import (
	"context"
	"errors"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/control"
)

// settle is how long a holder that does not listen is given: it may be just beginning or
// ending.
const settle = 500 * time.Millisecond

// Send sends a message with these words to the first of the name, and never becomes it.
// It returns with which code to exit. The answer goes to [Output], or nowhere. To a holder
// that takes no messages of a program, such as `sole run --method socket`, it sends the
// words as a request of docs/control.md.
//
// Errors: [sole.ErrFree] if nobody holds the name, [*NoAnswerError], [*FailedError],
// [*LostError], *sole.NameError, *sole.UnsafeError, those of the system, and ctx's.
func Send(ctx context.Context, name string, words []string, opts ...Option) (code int, err error) {
	o := collect(opts)
	o.words, o.output = words, true
	s, err := newSender(name, o)
	if err != nil {
		return 0, err
	}
	patient, cancel := context.WithTimeout(ctx, s.o.patience)
	defer cancel()
	for {
		c, err := s.connect(patient)
		if err == sole.ErrFree {
			return 0, err
		}
		if err != nil {
			return 0, s.notFound(ctx, err)
		}
		if c.Greeting.Name == name && !c.Greeting.Has(control.TakesCalls) {
			return s.ask(ctx, c)
		}
		err = s.exchange(ctx, c)
		var a *AnsweredError
		if errors.As(err, &a) {
			return a.Code, nil
		}
		if !s.tryAgain(patient, err) {
			return 0, s.answered(c, err)
		}
	}
}

// connect finds who listens, or sole.ErrFree.
func (s *sender) connect(ctx context.Context) (*control.Client, error) {
	settled := time.Now().Add(settle)
	for pause := lookFirst; ; pause = min(2*pause, lookLast) {
		c, err := control.Connect(ctx, s.addr)
		if err != control.ErrNobody {
			return c, err
		}
		st, err := sole.Inspect(s.name, s.o.place())
		if err != nil {
			return nil, err
		}
		if st.State != sole.Held {
			return nil, sole.ErrFree
		}
		if time.Now().After(settled) {
			return nil, &sole.BusyError{Name: s.name, Holder: st}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// ask sends a request of one line.
func (s *sender) ask(ctx context.Context, c *control.Client) (int, error) {
	defer c.Close()
	if s.o.stdin != nil {
		return 0, &FailedError{s.name, Refused, "it takes no standard input"}
	}
	if len(s.o.words) == 0 {
		return 0, &FailedError{s.name, Refused, "it takes a request, such as status"}
	}
	text, err := c.Ask(ctx, s.o.words[0], s.o.words[1:]...)
	if err != nil {
		return 0, translate(s.name, err)
	}
	if text != "" {
		_, err = s.o.stdout.Write([]byte(text + "\n"))
	}
	return 0, err
}
