package instance

import (
	"fmt"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/control"
)

// AnsweredError says that another one is the first, and has answered: this start is done.
type AnsweredError struct {
	Name string
	PID  int // the first's
	Code int // with which to exit
	// Stdout and Stderr are what the first wrote, without [Output]; the first megabyte of
	// each. Cut is set if there was more.
	Stdout, Stderr []byte
	Cut            bool
}

func (e *AnsweredError) Error() string {
	return fmt.Sprintf("%s runs already (pid %d) and has answered", e.Name, e.PID)
}

// NoAnswerError says that the name is held by somebody who does not take messages: he is stopped
// or overwhelmed, or no program of one instance.
type NoAnswerError struct {
	Name   string
	Holder sole.Status
	Err    error // what went wrong, nil if he does not listen at all
}

func (e *NoAnswerError) Error() string {
	s := e.Name + " is held"
	if e.Holder.PID != 0 {
		s += fmt.Sprintf(" by pid %d", e.Holder.PID)
	}
	if e.Err == nil {
		return s + ", which takes no messages"
	}
	return s + ", which does not answer: " + e.Err.Error()
}

// Unwrap returns Err.
func (e *NoAnswerError) Unwrap() error { return e.Err }

// Reason is why there is no proper answer.
type Reason string

// The reasons.
const (
	Failed   Reason = "failed"      // the handler returned an error
	Panicked Reason = "panic"       // it panicked
	TimedOut Reason = "timeout"     // it took longer than the first allows
	Stopping Reason = "stopping"    // the first is ending
	TooMany  Reason = "busy"        // it has too many messages at once
	TooLarge Reason = "too-large"   // the message is
	Refused  Reason = "bad-request" // it does not understand the message
)

// FailedError says that the first has taken the message, or looked at it, and what
// went wrong there.
type FailedError struct {
	Name   string
	Reason Reason
	Text   string
}

func (e *FailedError) Error() string {
	if e.Text == "" {
		return e.Name + ": " + string(e.Reason)
	}
	return e.Name + ": " + e.Text
}

// LostError says that the first ended before the end of its answer. How much of the
// message it had handled, nobody knows.
type LostError struct {
	Name string
	Err  error
}

func (e *LostError) Error() string { return e.Name + " ended before it had answered: " + e.Err.Error() }

// Unwrap returns Err.
func (e *LostError) Unwrap() error { return e.Err }

var (
	// ErrGone is why the context of a message ends when its sender has gone.
	ErrGone = control.ErrGone
	// ErrTimeout is why it ends when the time of [Timeout] is over.
	ErrTimeout = control.ErrTimeout
	// ErrStopped is why it ends when the first stops.
	ErrStopped = control.ErrStopped
)
