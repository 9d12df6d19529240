package control

import (
	"context"
	"errors"
	"io"
	"strings"
)

// Ask sends a request of one line and returns the line that answers it: what is behind
// "ok", or JSON. Errors: *RemoteError, *LostError, *ProtocolError, and ctx's.
func (c *Client) Ask(ctx context.Context, verb string, words ...string) (string, error) {
	req := Request{verb, words}
	if err := req.Check(); err != nil {
		return "", err
	}
	defer endWith(ctx, c.c)()
	_, sent := c.c.Write([]byte(req.String() + "\n"))
	line, err := c.r.line()
	if err != nil {
		return "", c.lost(ctx, errors.Join(sent, err), true)
	}
	kind, rest, _ := strings.Cut(line, " ")
	switch {
	case kind == "ok":
		return rest, nil
	case kind == errorFrame:
		return "", remoteError(rest)
	case strings.HasPrefix(line, "{"):
		return line, nil
	}
	return "", &ProtocolError{"the answer is " + quote(line)}
}

// lost is the error for the end of the connection.
func (c *Client) lost(ctx context.Context, err error, begun bool) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var bad *ProtocolError
	if errors.As(err, &bad) {
		return bad
	}
	return &LostError{Begun: begun, Err: err}
}

func remoteError(rest string) *RemoteError {
	code, text, _ := strings.Cut(rest, " ")
	return &RemoteError{Code(code), text}
}

// CallRequest is what a client sends to the program itself.
type CallRequest struct {
	Words []string
	Dir   string
	Env   []string // NAME=VALUE
	// Stdin is sent if it is not nil. A reader that is not an *os.File is read from by
	// a goroutine that ends when Read returns.
	Stdin          io.Reader
	Stdout, Stderr io.Writer // nil: thrown away
}

// check checks the limits, so that they are told here and not by a broken connection.
func (r *CallRequest) check() error {
	size := len(r.Dir)
	for _, list := range [][]string{r.Words, r.Env, {r.Dir}} {
		for _, s := range list {
			size += len(s)
			if len(s) > MaxFrame {
				return &RemoteError{TooLarge, "a word or variable is too long"}
			}
			if strings.IndexByte(s, 0) >= 0 {
				return &ProtocolError{"there is a NUL in a word or variable"}
			}
		}
	}
	if size > MaxCall || len(r.Words)+len(r.Env)+1 > MaxItems {
		return &RemoteError{TooLarge, "the words and variables are too many"}
	}
	return nil
}

// frames is the request as it is sent.
func (r *CallRequest) frames() []byte {
	b := []byte("call\n")
	for _, w := range r.Words {
		b = Frame{Kind: argFrame, Data: []byte(w)}.append(b)
	}
	if r.Dir != "" {
		b = Frame{Kind: dirFrame, Data: []byte(r.Dir)}.append(b)
	}
	for _, e := range r.Env {
		b = Frame{Kind: envFrame, Data: []byte(e)}.append(b)
	}
	if r.Stdin != nil {
		return Frame{Kind: goFrame, Rest: inFrame}.append(b)
	}
	return Frame{Kind: goFrame}.append(b)
}

// Call sends a call, copies what it writes, and returns its exit code. The connection
// cannot be used any more. When ctx ends the server learns of it. Errors: as of [Client.Ask],
// and those of writing to Stdout and Stderr.
func (c *Client) Call(ctx context.Context, req *CallRequest) (code int, err error) {
	if err := req.check(); err != nil {
		return 0, err
	}
	defer c.Close()
	defer endWith(ctx, c.c)()
	_, sent := c.c.Write(req.frames())
	var pump *pump
	defer func() { pump.stop() }()
	begun := false
	for {
		f, err := c.r.frame(nil)
		if err != nil {
			return 0, c.lost(ctx, errors.Join(sent, err), begun)
		}
		switch f.Kind {
		case beginFrame:
			if !begun { // nothing is read of the input before, so that it can be sent to another
				begun, pump = true, startPump(c.c, req.Stdin)
			}
		case wantFrame:
			n, err := number(f.Rest, 1<<30)
			if err != nil {
				return 0, err
			}
			pump.allow(n)
		case outFrame, errFrame:
			w := req.Stdout
			if f.Kind == errFrame {
				w = req.Stderr
			}
			if w != nil {
				if _, err := w.Write(f.Data); err != nil {
					return 0, err
				}
			}
		case exitFrame:
			return number(f.Rest, 255)
		case errorFrame:
			e := remoteError(f.Rest)
			if e.Code == Stopping && !begun {
				return 0, &LostError{Err: e}
			}
			return 0, e
		default:
			return 0, &ProtocolError{"the answer has " + quote(f.Kind)}
		}
	}
}
