package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/instance"
)

// This file alone turns errors into messages and exit codes. A message is
//
//	sole: what happened, to which name, with the facts
//	sole: hint: what to do
//
// on standard error: lower case, no full stop, one write a line.

// failure is an error whose exit code and hint are known where it is made.
type failure struct {
	code int
	text string
	hint string
}

func (f *failure) Error() string { return f.text }

func usageError(format string, args ...any) error {
	return &failure{exitUsage, fmt.Sprintf(format, args...), seeHelp}
}

const seeHelp = "see 'sole help'"

// say writes one message. Nothing can be done if standard error is closed.
func say(format string, args ...any) {
	_, _ = os.Stderr.Write([]byte("sole: " + printable(fmt.Sprintf(format, args...)) + "\n"))
}

func hint(format string, args ...any) { say("hint: "+format, args...) }

// fail reports err and returns its exit code.
func fail(err error) int {
	code, h := classify(err)
	say("%s", message(err))
	if h != "" {
		hint("%s", h)
	}
	return code
}

// failFor is fail for a command that could not be run while the name n was held: of several
// jobs in a mail of cron it says which one.
func failFor(n string, err error) int {
	var f *failure
	if errors.As(err, &f) {
		err = &failure{f.code, n + ": " + f.text, f.hint}
	}
	return fail(err)
}

// message is the error in words; the system's own are said without Go's frame.
func message(err error) string {
	var p *fs.PathError
	var f *failure
	if !errors.As(err, &f) && errors.As(err, &p) {
		return fmt.Sprintf("cannot %s %s: %v", p.Op, p.Path, p.Err)
	}
	return err.Error()
}

// classify returns the exit code for err, and a hint.
func classify(err error) (code int, h string) {
	var (
		f         *failure
		busy      *sole.BusyError
		unsafe    *sole.UnsafeError
		name      *sole.NameError
		option    *sole.OptionError
		ancestor  *sole.AncestorError
		broken    *sole.BrokenError
		disturbed *sole.DisturbedError
		pidFile   *sole.PidFileError
		socket    *sole.SocketError
		silent    *instance.NoAnswerError
		lost      *instance.LostError
		failed    *instance.FailedError
		fd        *sole.DescriptorError
	)
	switch {
	case errors.As(err, &f):
		return f.code, f.hint
	case errors.As(err, &busy):
		return exitBusy, ""
	case errors.As(err, &unsafe):
		return exitNotAllowed, unsafe.Remedy
	case errors.As(err, &option):
		return exitUsage, "see 'sole help run'"
	case errors.As(err, &name):
		return exitUsage, "a name has 1 to 128 ASCII letters, digits and . _ - @ : +, the first a letter or digit"
	case errors.As(err, &ancestor):
		return exitConfig, "give the inner command a name of its own, or start it without sole"
	case errors.As(err, &broken):
		return exitCantCreate, "name a directory on a local filesystem with --dir or SOLE_DIR"
	case errors.As(err, &pidFile):
		return exitCantCreate, "remove " + pidFile.Path + " if nothing uses it, or name another pid file"
	case errors.As(err, &socket):
		return exitCantCreate, "remove " + socket.Path + " if nothing uses it"
	case errors.As(err, &fd):
		return exitUsage, fd.Remedy
	case errors.As(err, &disturbed):
		return exitOS, ""
	case errors.As(err, &silent) && silent.Err != nil:
		return exitNoAnswer, "see 'sole status " + silent.Name + "'"
	case errors.As(err, &silent), errors.As(err, &lost):
		return exitNoAnswer, ""
	case errors.As(err, &failed):
		return classifyFailed(failed.Reason), ""
	case errors.Is(err, sole.ErrFree):
		return exitFree, ""
	case errors.Is(err, sole.ErrElsewhere):
		return exitNotAllowed, "run sole where the holder runs: in its container, on its host"
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout, ""
	case errors.Is(err, errors.ErrUnsupported):
		return exitOS, ""
	}
	return classifySystem(err)
}

// classifyFailed does so for what the program that holds a name said.
func classifyFailed(reason instance.Reason) int {
	switch reason {
	case instance.TimedOut:
		return exitTimeout
	case instance.Stopping, instance.TooMany:
		return exitNoAnswer
	case instance.TooLarge, instance.Refused:
		return exitUsage
	}
	return exitFailed
}

// classifySystem does so for what the system said.
func classifySystem(err error) (code int, h string) {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return exitOS, ""
	}
	switch errno {
	case syscall.EACCES, syscall.EPERM:
		return exitNotAllowed, "act as the user whose names these are, or use a directory of your own with --dir or SOLE_DIR"
	case syscall.EROFS:
		return exitCantCreate, "name a directory on a writable filesystem with --dir or SOLE_DIR"
	case syscall.ENOSPC, syscall.EDQUOT:
		return exitCantCreate, "make room, or name another directory with --dir or SOLE_DIR"
	case syscall.ENOENT, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EIO, syscall.ESTALE, syscall.ENOLCK:
		return exitCantCreate, ""
	}
	return exitOS, ""
}
