package main

import (
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// suspension stops the process group as ctrl-z does, and returns when it is continued. Meanwhile the
// terminal is what it was before.
type suspension struct {
	tty     *terminal
	signals chan<- os.Signal // what SIGTSTP goes to otherwise
}

// noStop is how long a stop takes to happen. In an orphaned process group none does.
const noStop = 200 * time.Millisecond

func (s *suspension) Run() error {
	s.tty.restore()
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGCONT)
	defer signal.Stop(c)
	signal.Reset(unix.SIGTSTP)
	_ = unix.Kill(0, unix.SIGTSTP)
	defer signal.Notify(s.signals, unix.SIGTSTP)
	select {
	case <-c:
	case <-time.After(noStop):
	}
	return s.tty.raw()
}

func (*suspension) SetStdin(io.Reader)  {}
func (*suspension) SetStdout(io.Writer) {}
func (*suspension) SetStderr(io.Writer) {}
