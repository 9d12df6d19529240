// Package top is the live screen of `sole top`: what it shows, and what the keys do. It knows neither
// terminals nor files. What it shows it is told by a [Source], whatever it does the Source does, and the
// time is that of the last look, so that the same messages always make the same screen.
package top

import (
	"context"
	"syscall"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/recent"
)

// Source is where the screen gets what it shows, and what acts for it. Its functions are called from
// several goroutines, but each by one at a time.
type Source interface {
	// Look looks at all names; at the free ones only if free is set.
	Look(free bool) Snapshot
	// Inspect looks at one name.
	Inspect(name string) (sole.Status, error)
	// Log is the last records of the name, the newest last, at most n.
	Log(name string, n int) ([]history.Entry, error)
	// Stop ends the run that seen describes, and no later one.
	Stop(ctx context.Context, seen sole.Status, grace time.Duration) (killed bool, err error)
	// Signal sends a signal to that run.
	Signal(seen sole.Status, sig syscall.Signal) error
	// Explain says an error as the other commands do.
	Explain(err error) string
}

// Snapshot is what there was at a moment.
type Snapshot struct {
	At    time.Time
	Took  time.Duration
	Names []Name
	Free  int   // how many names are free
	Err   error // of what could not be looked at
}

// Name is a name, and what its history tells.
type Name struct {
	sole.Status
	Recent recent.Facts
}

// Options are what does not change while the screen is there.
type Options struct {
	Dir     string // where the names live
	Every   time.Duration
	Grace   time.Duration // of stop
	Colours display.Palette
	ASCII   bool
}

// Key is a key: a printable character, or a word such as "enter", "up" or "ctrl+c".
type Key string

// Pasted is text that came as one.
type Pasted string
