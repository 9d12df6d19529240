package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
)

// page is what fills the screen.
type page int

const (
	listPage page = iota
	detailsPage
	logPage
	helpPage
)

// Model is the state of the screen.
type Model struct {
	src           Source
	o             Options
	width, height int

	snap    Snapshot
	looked  bool // there is a snapshot
	looking bool
	free    bool // show free names
	order   order
	filter  string
	typing  bool // the filter

	rows     []row
	selected int // among rows
	first    int // the row at the top

	page   page
	of     row             // whose details or log is shown
	detail sole.Status     // of the name, with those that wait
	log    []history.Entry // its last records, the newest last
	failed string          // why the page has nothing to show
	scroll int             // the first line of the page
	dialog *dialog         // nil for none

	note     display.Cell // what happened last
	stopping map[id]context.CancelFunc
	quit     bool
}

// New is a screen that has not looked yet.
func New(src Source, o Options) *Model {
	return &Model{src: src, o: o, width: 80, height: 24, free: true, stopping: make(map[id]context.CancelFunc)}
}

// The messages, besides keys and sizes.
type (
	lookNow struct{} // it is time to
	looked  Snapshot
	details struct {
		of     id
		status sole.Status
		err    error
	}
	logRead struct {
		of      id
		entries []history.Entry
		err     error
	}
	acted struct {
		of   row
		stop bool
		note display.Cell
	}
)

// Init looks for the first time.
func (m *Model) Init() tea.Cmd { return m.look() }

func (m *Model) look() tea.Cmd {
	if m.looking {
		return nil
	}
	m.looking = true
	src, free := m.src, m.free
	return func() tea.Msg { return looked(src.Look(free)) }
}

// restFactor is how much longer the pause between two looks is than a look takes, at least: looking
// must not load a host with many names.
const restFactor = 9

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case lookNow:
		return m, tea.Batch(m.look(), m.refreshPage())
	case looked:
		m.looking, m.looked, m.snap = false, true, Snapshot(msg)
		m.arrange()
		pause := max(m.o.Every, restFactor*m.snap.Took)
		return m, tea.Tick(pause, func(time.Time) tea.Msg { return lookNow{} })
	case details:
		if m.page == detailsPage && msg.of.name == m.of.Name {
			m.detail, m.failed = msg.status, ""
			m.follow()
			if msg.err != nil {
				m.failed = m.src.Explain(msg.err)
			}
		}
	case logRead:
		if m.page == logPage && msg.of.name == m.of.Name {
			m.log, m.failed = msg.entries, ""
			if msg.err != nil {
				m.failed = m.src.Explain(msg.err)
			}
		}
	case acted:
		m.note = msg.note
		if msg.stop {
			delete(m.stopping, msg.of.id())
		}
	case Key:
		return m, m.key(msg)
	case Pasted:
		if m.typing {
			m.typeFilter(string(msg))
		}
	}
	return m, nil
}

// Stopping are the runs that are being stopped, and that nobody waits for any more if the program ends now.
func (m *Model) Stopping() []string {
	var all []string
	for k := range m.stopping {
		all = append(all, k.name)
	}
	return all
}

// follow keeps what the keys act on what the details show: the same run, or the one that has got the
// name since.
func (m *Model) follow() {
	was := m.of.id()
	now := append(m.detail.Holders(), m.detail)
	for _, h := range now {
		if r := (row{h, m.of.recent}); r.id() == was {
			m.of = r
			return
		}
	}
	m.of.Status = now[0]
}

// refreshPage asks anew for what the page shows.
func (m *Model) refreshPage() tea.Cmd {
	src, of := m.src, m.of
	switch m.page {
	case detailsPage:
		return func() tea.Msg {
			st, err := src.Inspect(of.Name)
			return details{of.id(), st, err}
		}
	case logPage:
		return func() tea.Msg {
			entries, err := src.Log(of.Name, logLength)
			return logRead{of.id(), entries, err}
		}
	}
	return nil
}

// logLength is how many records the log shows.
const logLength = 1000
