package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
)

// A file becomes the older one just between the reading of the two: nothing is missing, and nothing is
// counted twice. strace holds up the opening of the current file for as long.
func TestMetricsWhileFilesAreRotated(t *testing.T) {
	for _, held := range []string{"n.history", "n.history.1"} {
		t.Run(held, func(t *testing.T) { t.Parallel(); metricsWhileRotated(t, held) })
	}
}

func metricsWhileRotated(t *testing.T, held string) {
	strace := need(t, "strace", "strace")
	b := newBox(t)
	ok := func(n int) []history.Entry {
		all := make([]history.Entry, n)
		for i := range all {
			all[i].Outcome = history.OK
		}
		return all
	}
	current := filepath.Join(b.dir, "n.history")
	writeHistory(t, b.dir, "n", ok(100))
	must(t, os.Rename(current, current+".1"))
	writeHistory(t, b.dir, "n", ok(50))

	log := b.file("trace")
	l := b.launch(b.command(strace, "-f", "-qq", "-o", log, "-P", filepath.Join(b.dir, held), "-e", "trace=openat", "-e", "inject=openat:delay_enter=1000000", "--", b.bin, "metrics"))
	b.eventually("it is about to open "+held, func() bool {
		text, _ := os.ReadFile(log)
		return strings.Contains(string(text), held+"\"")
	})
	dir, err := lockdir.Open(b.dir, lockdir.Use)
	must(t, err)
	must(t, history.Append(dir, &history.Entry{Name: "n", Outcome: history.OK}, 1)) // it is larger, so it is rotated
	o := l.wait()
	if got := metric(t, o.stdout, `sole_runs_total{name="n",outcome="ok"}`); o.code != 0 || got != 151 {
		t.Errorf("%v runs are counted of 151: %v", got, o)
	}
}
