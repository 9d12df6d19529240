// Package recent says what the end of a name's history tells of it: how long a run usually takes, and how
// the last ones ended. It remembers what it has read, so that to look again costs little.
package recent

import (
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/usual"
)

// Outcomes is how many outcomes are kept.
const Outcomes = 16

// farthest is how many records are read at most: behind more skips and failures than that, what
// was usual then says little.
const farthest = 2000

// Facts are what the history tells. The zero value is that of a name without one.
type Facts struct {
	// P50 and P95 are how long a run usually takes, 0 if there are too few (package usual).
	P50, P95 time.Duration
	Last     []history.Outcome // of the last runs, the newest last
	Ended    time.Time         // when the last run did, zero for none
	Lasted   time.Duration     // how long it took
	// SkipsInRow is how many starts were skipped since then.
	SkipsInRow int
}

// Outcome is how the last run ended, None if there is none.
func (f *Facts) Outcome() history.Outcome {
	if len(f.Last) == 0 {
		return history.None
	}
	return f.Last[len(f.Last)-1]
}

// Reader reads the histories in a directory. It is for one goroutine at a time.
type Reader struct{ known map[string]known }

type known struct {
	file  fs.FileInfo // nil if there was none
	facts Facts
}

// Of is what is known of the name. What cannot be read counts as not there: a history is for
// information only.
func (r *Reader) Of(dir *lockdir.Dir, name string) Facts {
	files := history.FilesIn(dir, name)
	file, err := os.Lstat(files.Current)
	if err != nil {
		file = nil
	}
	if k, ok := r.known[name]; ok && same(k.file, file) {
		return k.facts
	}
	if r.known == nil {
		r.known = make(map[string]known)
	}
	facts := read(files)
	r.known[name] = known{file, facts}
	return facts
}

// Keep forgets the names that are not among these, which are sorted.
func (r *Reader) Keep(names []string) {
	for n := range r.known {
		if _, ok := slices.BinarySearch(names, n); !ok {
			delete(r.known, n)
		}
	}
}

// same reports whether nothing was written to the file in between: it only grows.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size()
}

// read reads the end of a history.
func read(files history.Files) Facts {
	var lines []history.Line
	good, runs := 0, 0
	_, _ = files.Backward(func(l *history.Line) bool {
		lines = append(lines, *l)
		if l.Outcome == history.OK {
			good++
		}
		if l.Outcome != history.Skipped {
			runs++
		}
		return len(lines) < farthest && (good < usual.Size || runs < Outcomes)
	})
	var f Facts
	var stats history.Stats
	for _, l := range history.Sort(lines) {
		stats.Add(&l)
		if l.Outcome != history.Skipped {
			f.Last = append(f.Last, l.Outcome)
		}
	}
	f.Last = slices.Clone(f.Last[max(0, len(f.Last)-Outcomes):])
	f.P50, f.P95 = stats.Usual.P50(), stats.Usual.P95()
	f.Ended, f.Lasted, f.SkipsInRow = stats.Last.Ended, stats.Last.Lasted, int(stats.SkipsInRow)
	return f
}
