package instance

import (
	"io"
	"os"
	"time"

	"github.com/sole-run/sole"
)

// Option changes what a function of this package does.
type Option func(*options)

type options struct {
	dir            string
	words          []string
	env            []string
	stdin          io.Reader
	output         bool
	stdout, stderr io.Writer
	patience       time.Duration
	timeout        time.Duration
}

// patience is the default of [Patience].
const patience = 10 * time.Second

func collect(opts []Option) options {
	o := options{patience: patience}
	if len(os.Args) > 0 {
		o.words = os.Args[1:]
	}
	for _, opt := range opts {
		opt(&o)
	}
	if o.stdout == nil {
		o.stdout = io.Discard
	}
	if o.stderr == nil {
		o.stderr = io.Discard
	}
	return o
}

// Dir makes the name live in the directory at path, as [sole.Dir] does.
func Dir(path string) Option { return func(o *options) { o.dir = path } }

// Words are sent instead of os.Args[1:].
func Words(words ...string) Option { return func(o *options) { o.words = words } }

// Env sends the variables of these names, as far as they are set.
func Env(names ...string) Option { return func(o *options) { o.env = append(o.env, names...) } }

// Stdin sends what r reads, if the first reads it. Of an *os.File no more is read once the
// answer is there; another reader is read from by a goroutine that ends when its Read returns.
func Stdin(r io.Reader) Option { return func(o *options) { o.stdin = r } }

// Output gets the answer as it comes, nil for what is to be thrown away. Without it the answer
// is in the [*AnsweredError].
func Output(stdout, stderr io.Writer) Option {
	return func(o *options) { o.output, o.stdout, o.stderr = true, stdout, stderr }
}

// Patience is how long a start tries to reach a first that has the name and does not answer. It
// is 10 seconds by default. How long the answer then takes is up to the context.
func Patience(d time.Duration) Option { return func(o *options) { o.patience = d } }

// Timeout ends the context of each message that the first handles after d. The sender is
// told so at once, also if the handler does not heed it.
func Timeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

func (o *options) place() sole.Option { return sole.Dir(o.dir) }

func (o *options) workdir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "" // it was removed
	}
	return dir
}

func (o *options) environ() []string {
	var env []string
	for _, name := range o.env {
		if v, ok := os.LookupEnv(name); ok && name != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
