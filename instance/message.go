package instance

import (
	"context"
	"io"
	"os"
	"strconv"
)

// Message is what a start sends to the first one.
type Message struct {
	Words []string
	// Dir is the sender's working directory, against which names of files in Words
	// are to be understood. It is "" if the sender did not say.
	Dir string
	// Env has the variables that the sender chose to send, as NAME=VALUE.
	Env []string
	// Stdin is what the sender sends as its standard input; it is empty if it sends none.
	// Reading ends with the context of the message.
	Stdin io.Reader
	// Stdout and Stderr reach the sender as they are written. Writing fails once the sender
	// has gone, or has not read for 30 seconds.
	Stdout, Stderr io.Writer
	// PID and UID are the sender's, as the kernel says. PID is 0 if it is in a pid
	// namespace that cannot be seen.
	PID, UID int
}

// Handler answers a message. Its context ends when the sender goes away, when the time of
// [Timeout] is over, and when the first stops; [context.Cause] says which.
//
// The sender exits with 0 if the error is nil, and with the code of an [ExitCode]. Other
// errors reach it as a [*FailedError] with their text.
type Handler func(ctx context.Context, m *Message) error

// ExitCode is an error of a handler that only says with which code the sender exits: 0 to
// 255.
type ExitCode int

func (c ExitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }

// Own is the message that this start would send, for a first that handles its own words as it
// does those of others. Its output is that of the process, unless [Output] says otherwise.
func Own(opts ...Option) *Message {
	o := collect(opts)
	m := &Message{
		Words: o.words, Dir: o.workdir(), Env: o.environ(),
		Stdin: o.stdin, Stdout: o.stdout, Stderr: o.stderr,
		PID: os.Getpid(), UID: os.Geteuid(),
	}
	if m.Stdin == nil {
		m.Stdin = noInput{}
	}
	if !o.output {
		m.Stdout, m.Stderr = os.Stdout, os.Stderr
	}
	return m
}

type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }
