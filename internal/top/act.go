package top

import (
	"context"
	"fmt"
	"syscall"

	tea "charm.land/bubbletea/v2"

	"github.com/sole-run/sole/internal/display"
)

// dialog asks before something is done to a run. It is the one that was shown, whoever has got the name
// since then.
type dialog struct {
	of     row
	title  string
	do     func() tea.Cmd
	choice []signalChoice // a menu, nil for a question
	at     int            // what is chosen
}

type signalChoice struct {
	sig  syscall.Signal
	name string
	does string
}

// signalMenu are the signals that people send.
func signalMenu() []signalChoice {
	return []signalChoice{
		{syscall.SIGTERM, "TERM", "end"},
		{syscall.SIGINT, "INT", "interrupt, as ctrl-c"},
		{syscall.SIGHUP, "HUP", "reload, or hang up"},
		{syscall.SIGQUIT, "QUIT", "end, and dump core"},
		{sigUSR1, "USR1", "what the program says"},
		{sigUSR2, "USR2", "what the program says"},
		{sigSTOP, "STOP", "pause; the name stays held"},
		{sigCONT, "CONT", "go on"},
		{syscall.SIGKILL, "KILL", "end at once, cleaning nothing"},
	}
}

// whom is the process that a signal to the run goes to.
func (r *row) whom() int {
	if r.ChildPID != 0 {
		return r.ChildPID
	}
	return max(r.PID, 0)
}

// target says which run is meant.
func (r *row) target() string {
	s := label(r)
	if pid := r.whom(); pid != 0 {
		s += fmt.Sprintf(", pid %d", pid)
	}
	if len(r.Command) > 0 {
		s += " (" + display.Words(r.Command, 60) + ")"
	}
	return s
}

// act opens the dialog for a key.
func (m *Model) act(k Key) tea.Cmd {
	var r *row
	switch m.page {
	case listPage:
		r = m.current()
	case detailsPage, logPage:
		r = &m.of
	}
	if r == nil {
		return nil
	}
	if !r.held() {
		m.note = display.Cell{Text: r.Name + " is free: there is nobody to act on", Role: display.Warn}
		return nil
	}
	of := *r
	switch k {
	case "s":
		m.dialog = &dialog{of: of, title: fmt.Sprintf("stop %s? SIGTERM, and SIGKILL after %s", of.target(), display.Lasting(m.o.Grace)),
			do: func() tea.Cmd { return m.stop(of) }}
	case "r":
		m.dialog = &dialog{of: of, title: fmt.Sprintf("reload %s? SIGHUP", of.target()),
			do: func() tea.Cmd { return m.signal(of, syscall.SIGHUP, "HUP") }}
	default:
		m.dialog = &dialog{of: of, title: "send a signal to " + of.target(), choice: signalMenu()}
	}
	return nil
}

func (m *Model) dialogKey(k Key) tea.Cmd {
	d := m.dialog
	if d.choice == nil {
		m.dialog = nil
		if k == "y" || k == "Y" {
			return d.do()
		}
		m.note = display.Cell{Text: "nothing was done", Role: display.Faint}
		return nil
	}
	if moved, ok := move(k, d.at, len(d.choice)); ok {
		d.at = max(0, min(moved, len(d.choice)-1))
		return nil
	}
	switch k {
	case "enter":
		m.dialog = nil
		c := d.choice[d.at]
		return m.signal(d.of, c.sig, c.name)
	case "esc", "q", "n", "x", "left", "h":
		m.dialog = nil
		m.note = display.Cell{Text: "nothing was done", Role: display.Faint}
	}
	return nil
}

func (m *Model) stop(of row) tea.Cmd {
	if m.stopping[of.id()] != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stopping[of.id()] = cancel
	m.note = display.Cell{Text: "stopping " + label(&of) + " …"}
	src, grace := m.src, m.o.Grace
	return func() tea.Msg {
		defer cancel()
		killed, err := src.Stop(ctx, of.Status, grace)
		note := display.Cell{Text: fmt.Sprintf("%s, run %d, has ended", label(&of), of.Run), Role: display.Good}
		switch {
		case err != nil:
			note = display.Cell{Text: "stop: " + label(&of) + ": " + src.Explain(err), Role: display.Bad}
		case killed:
			note = display.Cell{Text: fmt.Sprintf("%s did not end within %s and was killed", label(&of), display.Lasting(grace)), Role: display.Warn}
		}
		return acted{of, true, note}
	}
}

func (m *Model) signal(of row, sig syscall.Signal, name string) tea.Cmd {
	src := m.src
	return func() tea.Msg {
		note := display.Cell{Text: fmt.Sprintf("sent SIG%s to %s, pid %d", name, label(&of), of.whom()), Role: display.Good}
		if err := src.Signal(of.Status, sig); err != nil {
			note = display.Cell{Text: fmt.Sprintf("SIG%s to %s: %s", name, label(&of), src.Explain(err)), Role: display.Bad}
		}
		return acted{of, false, note}
	}
}
