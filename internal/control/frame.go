package control

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// The kinds of frames. Those with data have its length on their line, and the data and a
// newline behind it; of the others the line is all.
const (
	argFrame   = "arg"   // data: a word of a call
	dirFrame   = "dir"   // data: its working directory
	envFrame   = "env"   // data: NAME=VALUE of its environment
	goFrame    = "go"    // the call is complete: begin; "go in": standard input follows
	inFrame    = "in"    // data: standard input
	eofFrame   = "eof"   // the end of standard input
	beginFrame = "begin" // the handler begins
	wantFrame  = "want"  // N more bytes of standard input may be sent
	outFrame   = "out"   // data: standard output
	errFrame   = "err"   // data: standard error
	exitFrame  = "exit"  // the end of an answer: the exit code
	errorFrame = "error" // the end of an answer: CODE TEXT
)

// carriesData says which kinds have data.
func carriesData(kind string) bool {
	switch kind {
	case argFrame, dirFrame, envFrame, inFrame, outFrame, errFrame:
		return true
	}
	return false
}

// Frame is a piece of a call or of its answer.
type Frame struct {
	Kind string
	Rest string // what is behind the kind on its line, for those without data
	Data []byte
}

// append writes the frame as it is sent.
func (f Frame) append(b []byte) []byte {
	b = append(b, f.Kind...)
	if carriesData(f.Kind) {
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(len(f.Data)), 10)
		b = append(b, '\n')
		b = append(b, f.Data...)
	} else if f.Rest != "" {
		b = append(b, ' ')
		b = append(b, f.Rest...)
	}
	return append(b, '\n')
}

// errTooLong is returned for a line beyond MaxLine.
var errTooLong = errors.New("the line is too long")

// reader reads lines and frames, with a buffer of one line.
type reader struct {
	src  io.Reader
	buf  [MaxLine]byte
	r, w int
}

// line reads up to a newline, which it leaves out, as it does a carriage return.
func (r *reader) line() (string, error) {
	for scanned := r.r; ; {
		if i := bytes.IndexByte(r.buf[scanned:r.w], '\n'); i >= 0 {
			line := r.buf[r.r : scanned+i]
			r.r = scanned + i + 1
			return string(bytes.TrimSuffix(line, []byte{'\r'})), nil
		}
		if r.r > 0 {
			copy(r.buf[:], r.buf[r.r:r.w])
			r.w -= r.r
			r.r = 0
		}
		if scanned = r.w; r.w == len(r.buf) {
			return "", errTooLong
		}
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if n == 0 && err != nil {
			if err == io.EOF && r.w > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
}

// full reads len(p) bytes.
func (r *reader) full(p []byte) error {
	n := copy(p, r.buf[r.r:r.w])
	r.r += n
	if n == len(p) {
		return nil
	}
	_, err := io.ReadFull(r.src, p[n:])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// frame reads a frame. Before its data is read, room is asked whether there is place for so
// much.
func (r *reader) frame(room func(kind string, n int) error) (Frame, error) {
	line, err := r.line()
	if err != nil {
		return Frame{}, err
	}
	kind, rest, _ := strings.Cut(line, " ")
	if !carriesData(kind) {
		if !isVerb(kind) || rest == "" && len(line) > len(kind) {
			return Frame{}, &ProtocolError{quote(line) + " is not a frame"}
		}
		return Frame{Kind: kind, Rest: rest}, nil
	}
	n, err := number(rest, MaxFrame)
	if err != nil {
		return Frame{}, &ProtocolError{quote(line) + ": the length is a number up to " + strconv.Itoa(MaxFrame)}
	}
	if room != nil {
		if err := room(kind, n); err != nil {
			return Frame{}, err
		}
	}
	data := make([]byte, n+1)
	if err := r.full(data); err != nil {
		return Frame{}, err
	}
	if data[n] != '\n' {
		return Frame{}, &ProtocolError{"the data of " + quote(line) + " does not end with a newline"}
	}
	return Frame{Kind: kind, Data: data[:n:n]}, nil
}
