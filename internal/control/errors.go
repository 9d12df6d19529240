package control

import (
	"errors"
	"fmt"
)

// ErrNobody is returned where nobody listens: there is no socket, or a stale one.
var ErrNobody = errors.New("nobody listens")

// ErrStopped is the cause with which the context of a call ends when the server is closed.
var ErrStopped = errors.New("the holder is stopping")

// ErrGone is the cause with which it ends when the client has gone.
var ErrGone = errors.New("the client has gone")

// ErrTimeout is the cause with which it ends when [Limits.Call] is over.
var ErrTimeout = errors.New("the call took too long")

// BusyError says that somebody listens already.
type BusyError struct {
	Address  string
	Greeting Greeting // zero if there was none
	Peer     Peer     // zero if it is not known
	// Err is why there was no greeting: a *SilentError, *ProtocolError or *RemoteError.
	Err error
}

func (e *BusyError) Error() string {
	if e.Err != nil {
		return e.Address + " is in use: " + e.Err.Error()
	}
	return fmt.Sprintf("%s is served by pid %d", e.Address, e.Greeting.PID)
}

// Unwrap returns Err.
func (e *BusyError) Unwrap() error { return e.Err }

// SilentError says that somebody has the socket and does not answer in time: it is
// stopped, overwhelmed, or does not accept connections.
type SilentError struct {
	Address string
	Peer    Peer // zero if no connection was to be had
}

func (e *SilentError) Error() string {
	if e.Peer.PID == 0 {
		return e.Address + " does not answer"
	}
	return fmt.Sprintf("%s: pid %d does not answer", e.Address, e.Peer.PID)
}

// StrangerError says that another user has the socket, who is not obeyed.
type StrangerError struct {
	Address string
	Peer    Peer // PID is 0 where only the owner of a file is known
}

func (e *StrangerError) Error() string {
	if e.Peer.PID == 0 {
		return fmt.Sprintf("%s belongs to uid %d", e.Address, e.Peer.UID)
	}
	return fmt.Sprintf("%s is served by pid %d of uid %d", e.Address, e.Peer.PID, e.Peer.UID)
}

// PlaceError says that something else is where a socket should be. It is left alone.
type PlaceError struct{ Path, Problem string }

func (e *PlaceError) Error() string { return e.Path + " " + e.Problem }

// ProtocolError says that the other end does not speak this protocol, or not this version.
type ProtocolError struct{ Problem string }

func (e *ProtocolError) Error() string { return "not the control protocol: " + e.Problem }

// RemoteError is an error that the server reported.
type RemoteError struct {
	Code Code
	Text string
}

func (e *RemoteError) Error() string {
	if e.Text == "" {
		return string(e.Code)
	}
	return e.Text
}

// LostError says that the connection ended before the answer did.
type LostError struct {
	// Begun is set when the server may have begun to work on the request. If not, it
	// never will.
	Begun bool
	Err   error
}

func (e *LostError) Error() string {
	if e.Begun {
		return fmt.Sprintf("the connection was lost before the end of the answer: %v", e.Err)
	}
	return fmt.Sprintf("the connection was lost before the request was taken: %v", e.Err)
}

// Unwrap returns Err.
func (e *LostError) Unwrap() error { return e.Err }

// Code is a kind of error in an answer.
type Code string

// The codes.
const (
	BadRequest   Code = "bad-request"   // not understood
	TooLarge     Code = "too-large"     // beyond a limit
	Unknown      Code = "unknown"       // no such request here
	Busy         Code = "busy"          // too many at once; nothing was done
	Stopping     Code = "stopping"      // the holder ends; nothing was done, unless begun
	NotPermitted Code = "not-permitted" // not for this user
	Slow         Code = "slow"          // the request did not come in time
	Failed       Code = "failed"        // it was tried
	Panicked     Code = "panic"         // it was tried, and the handler is broken
	TimedOut     Code = "timeout"       // it took too long
)
