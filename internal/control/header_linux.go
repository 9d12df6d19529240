package control

import (
	"bytes"
	"fmt"
)

// header reads what a call begins with: its words, its directory, its environment.
type header struct {
	s        *Server
	size     int
	items    int
	reserved int64
}

// free gives back what the call had.
func (h *header) free() { h.s.pending.Add(-h.reserved) }

// room says whether there is room for another item.
func (h *header) room(kind string, n int) error {
	switch kind {
	case argFrame, dirFrame, envFrame:
	default:
		return &ProtocolError{quote(kind) + " does not belong before \"go\""}
	}
	h.size += n
	h.items++
	if h.size > MaxCall || h.items > MaxItems {
		return &RemoteError{TooLarge, fmt.Sprintf("a call has at most %d bytes in %d items", MaxCall, MaxItems)}
	}
	if !h.s.reserve(int64(n + perItem)) {
		return &RemoteError{Busy, "calls under way have too much data"}
	}
	h.reserved += int64(n + perItem)
	return nil
}

// read reads frames up to "go", and says whether input follows.
func (h *header) read(r *reader) (call *Call, input bool, err error) {
	call = &Call{Stdin: noInput{}}
	for {
		f, err := r.frame(h.room)
		if err != nil {
			return nil, false, err
		}
		if bytes.IndexByte(f.Data, 0) >= 0 {
			return nil, false, &ProtocolError{"there is a NUL in " + quote(f.Kind)}
		}
		switch f.Kind {
		case argFrame:
			call.Words = append(call.Words, string(f.Data))
		case dirFrame:
			call.Dir = string(f.Data)
		case envFrame:
			if bytes.IndexByte(f.Data, '=') < 1 {
				return nil, false, &ProtocolError{"a variable is NAME=VALUE"}
			}
			call.Env = append(call.Env, string(f.Data))
		case goFrame:
			if f.Rest != "" && f.Rest != inFrame {
				return nil, false, &ProtocolError{"\"go\" is followed by \"in\" or nothing"}
			}
			return call, f.Rest == inFrame, nil
		default:
			return nil, false, &ProtocolError{quote(f.Kind) + " does not belong before \"go\""}
		}
	}
}
