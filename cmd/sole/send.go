package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/instance"
)

var sendCommand = &command{
	name:    "send",
	args:    "NAME [--] [WORD…]",
	summary: "send words to the program that holds NAME",
	about: `For programs of one instance (package instance), which answer: sole prints what they
answer, and exits as they say. Exits with 3 if NAME is free, with 69 if its holder
takes no messages, does not answer or is lost meanwhile, with 124 when the time is
up, and with 1 if the program failed.`,
	takesNames:  true,
	stopsAtName: true,
	setup:       setupSend,
}

type sendFlags struct {
	dir     string
	env     []string
	stdin   bool
	timeout time.Duration
}

func setupSend(f *flags) func([]string) int {
	o := sendFlags{timeout: -1}
	f.bool(&o.stdin, "stdin", 0, "also send standard input")
	f.strings(&o.env, "env", 0, "VAR", "also send the variable VAR; may be repeated")
	f.duration(&o.timeout, "timeout", 'w', "wait at most D for the end of the answer")
	f.string(&o.dir, "dir", 0, "DIR", dirHelp)
	return o.run
}

func (o *sendFlags) run(args []string) int {
	args = withoutDashes(args)
	if len(args) == 0 {
		return fail(&failure{exitUsage, "send: a name is missing", "'sole ls' lists those that are held"})
	}
	n, words := args[0], withoutDashes(args[1:])
	ctx := context.Background()
	if o.timeout >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	out := &output{w: os.Stdout}
	opts := []instance.Option{instance.Dir(o.dir), instance.Env(o.env...), instance.Output(out, os.Stderr)}
	if o.stdin {
		opts = append(opts, instance.Stdin(os.Stdin))
	}
	code, err := instance.Send(ctx, n, words, opts...)
	switch {
	case out.err != nil:
		return printed(out.err)
	case errors.Is(err, sole.ErrFree):
		return fail(&failure{exitFree, "send: " + n + " is not running", ""})
	case errors.Is(err, context.DeadlineExceeded):
		return fail(&failure{exitTimeout, "send: " + n + " has not answered within " + limit(o.timeout), ""})
	case err != nil:
		return fail(err)
	}
	return code
}

// withoutDashes leaves out a "--" before what follows.
func withoutDashes(words []string) []string {
	if len(words) > 0 && words[0] == "--" {
		return words[1:]
	}
	return words
}

// output remembers why it cannot be written to.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.err = errors.Join(o.err, err)
	return n, err
}
