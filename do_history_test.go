//go:build linux

package sole

import (
	"context"
	"testing"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
)

// A function that panics has not done well, whatever becomes of the panic.
func TestDoThatPanicsFailed(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		_ = Do(context.Background(), "n", func(context.Context) error { panic("oh") }, Dir(dir), History(0))
	}()
	d, err := lockdir.Open(dir, lockdir.Look)
	if err != nil {
		t.Fatal(err)
	}
	var got []history.Outcome
	if _, err := history.FilesIn(d, "n").Forward(func(l *history.Line) { got = append(got, l.Outcome) }); err != nil || len(got) != 1 || got[0] != history.Failed {
		t.Errorf("%v, %v", got, err)
	}
}
