package main

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/top"
)

// screen is the model, and what only a program with a terminal can do.
type screen struct {
	*top.Model
	tty     *terminal
	signals chan os.Signal
}

func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(top.SuspendMsg); ok {
		return s, tea.Exec(&suspension{s.tty, s.signals}, nil)
	}
	_, cmd := s.Model.Update(msg)
	return s, cmd
}

// lastWish is how long the screen may take to be left after a signal: a terminal that takes no
// more output must not keep the program from ending.
const lastWish = 2 * time.Second

// show shows the screen until it is left, and returns the exit code.
func show(m *top.Model) int {
	tty, err := openTerminal()
	if err != nil {
		say("top: standard input is not a terminal")
		return exitUsage
	}
	if err := tty.raw(); err != nil {
		say("top: cannot read keys: %v", err)
		return exitOS
	}
	defer tty.restore()
	// No input means no questions to the terminal, see terminal.raw.
	signals := make(chan os.Signal, 8)
	p := tea.NewProgram(screen{m, tty, signals}, tea.WithInput(nil), tea.WithoutSignalHandler(), tea.WithColorProfile(colorprofile.ANSI))
	var died atomic.Int32
	signal.Notify(signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGTSTP)
	defer signal.Stop(signals)
	go onSignals(signals, tty, p, &died)
	go readKeys(func(k top.Key) { p.Send(k) }, func(t top.Pasted) { p.Send(t) }, p.Quit)
	_, err = p.Run()
	tty.restore()
	if names := m.Stopping(); len(names) > 0 {
		say("top: not waited for the end of %s, which was asked to end", strings.Join(names, ", "))
	}
	switch {
	case died.Load() != 0:
		dieBy(syscall.Signal(died.Load()))
	case errors.Is(err, tea.ErrProgramPanic):
		say("top: a bug in sole, see above")
		return exitBug
	case err != nil:
		say("top: %v", err)
		return exitOS
	}
	return exitOK
}

// onSignals leaves the screen when a signal asks for the end, and suspends the program when one asks for
// that. died is set to the signal.
func onSignals(signals <-chan os.Signal, tty *terminal, p *tea.Program, died *atomic.Int32) {
	for s := range signals {
		if s == unix.SIGTSTP {
			p.Send(top.SuspendMsg{})
			continue
		}
		sig := s.(syscall.Signal)
		died.CompareAndSwap(0, int32(sig))
		go p.Quit()
		time.AfterFunc(lastWish, func() {
			tty.restore()
			dieBy(sig)
		})
	}
}

// dieBy ends this process by a signal.
func dieBy(sig syscall.Signal) {
	signal.Reset(sig)
	_ = unix.Kill(os.Getpid(), sig)
	time.Sleep(lastWish) // it comes on any thread
	os.Exit(128 + int(sig))
}
