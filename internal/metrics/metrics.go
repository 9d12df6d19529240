// Package metrics writes what is known of names in the text format of Prometheus, for the textfile
// collector of its node_exporter. It reads nothing: what it does not know it is told.
package metrics

import (
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

// Name is what is known of one name.
type Name struct {
	Name    string
	Holders int
	Waiters int
	// Orphaned is set when one of the holders has lost its supervisor.
	Orphaned bool
	// Started is when the oldest of the runs that hold it began, the zero time if none does or it is
	// not known; Lasts is how long that has lasted.
	Started time.Time
	Lasts   time.Duration

	// All is of all records that there ever were.
	All  history.Stats
	Torn int // lines of its files that are no records
}

// Text is the metrics of these names, in their order. unreadable is how many things could not be read.
func Text(names []*Name, unreadable int) []byte {
	var b []byte
	for _, f := range families {
		b = f.write(b, names)
	}
	b = head(b, "sole_unreadable", "gauge", "How many directories, names or histories sole could not read.")
	b = sample(b, "sole_unreadable", "", "", float64(unreadable))
	return b
}

// family is a metric.
type family struct {
	name, kind, help string
	// value is the sample of a name; no sample is made if there is none.
	value func(n *Name) (v float64, ok bool)
}

var families = [...]family{
	{"sole_held", "gauge", "Whether the name is held.", func(n *Name) (float64, bool) { return truth(n.Holders > 0) }},
	{"sole_holders", "gauge", "How many hold the name: more than one if it is shared or has slots.", func(n *Name) (float64, bool) { return float64(n.Holders), true }},
	{"sole_orphaned", "gauge", "Whether a run goes on although its supervisor was killed.", func(n *Name) (float64, bool) { return truth(n.Orphaned) }},
	{"sole_waiters", "gauge", "How many starts wait for the name.", func(n *Name) (float64, bool) { return float64(n.Waiters), true }},
	{"sole_run_start_timestamp_seconds", "gauge", "When the run that holds the name began, the oldest if there are several.", func(n *Name) (float64, bool) { return stamp(n.Started) }},
	{"sole_run_seconds", "gauge", "How long the run that holds the name has lasted, the oldest if there are several.", func(n *Name) (float64, bool) {
		return n.Lasts.Seconds(), !n.Started.IsZero()
	}},
	{"sole_usual_seconds", "gauge", "Median of how long the last 32 runs took that succeeded.", func(n *Name) (float64, bool) {
		return n.All.Usual.P50().Seconds(), n.All.Usual.N >= usual.Fewest
	}},
	{"sole_usual_p95_seconds", "gauge", "What 95 in 100 of the last 32 runs that succeeded took or less.", func(n *Name) (float64, bool) {
		return n.All.Usual.P95().Seconds(), n.All.Usual.N >= usual.Fewest
	}},
	{"sole_runs_total", "counter", "How many runs have ended, by how they did.", nil},
	{"sole_skips_total", "counter", "How many starts were skipped because the name was held.", func(n *Name) (float64, bool) {
		return float64(n.All.Count[history.Skipped]), true
	}},
	{"sole_skips_in_row", "gauge", "How many starts were skipped since the last run ended.", func(n *Name) (float64, bool) {
		return float64(n.All.SkipsInRow), true
	}},
	{"sole_last_success_timestamp_seconds", "gauge", "When the last run ended that succeeded.", func(n *Name) (float64, bool) { return stamp(n.All.LastOK) }},
	{"sole_last_failure_timestamp_seconds", "gauge", "When the last run ended that failed.", func(n *Name) (float64, bool) { return stamp(n.All.LastFailed) }},
	{"sole_last_run_end_timestamp_seconds", "gauge", "When the last run ended.", func(n *Name) (float64, bool) { return stamp(n.All.Last.Ended) }},
	{"sole_last_run_seconds", "gauge", "How long the last run took.", func(n *Name) (float64, bool) {
		return n.All.Last.Lasted.Seconds(), n.All.LastOutcome != history.None && !n.All.Last.Closing
	}},
	{"sole_last_run_failed", "gauge", "Whether the last run failed.", func(n *Name) (float64, bool) {
		v, _ := truth(failed(n.All.LastOutcome))
		return v, n.All.LastOutcome != history.None
	}},
	{"sole_history_torn_lines", "gauge", "How many lines of the history cannot be read, as after a full disk.", func(n *Name) (float64, bool) {
		return float64(n.Torn), true
	}},
}

func failed(o history.Outcome) bool {
	switch o {
	case history.Failed, history.Signaled, history.TimedOut, history.Lost, history.Crashed:
		return true
	}
	return false
}

func truth(is bool) (float64, bool) {
	if is {
		return 1, true
	}
	return 0, true
}

func stamp(t time.Time) (float64, bool) {
	return float64(t.UnixMilli()) / 1000, !t.IsZero()
}

func (f *family) write(b []byte, names []*Name) []byte {
	begun := false
	for _, n := range names {
		if f.value == nil {
			if !begun {
				b = head(b, f.name, f.kind, f.help)
			}
			begun = true
			b = outcomes(b, f.name, n)
			continue
		}
		v, ok := f.value(n)
		if !ok {
			continue
		}
		if !begun {
			b = head(b, f.name, f.kind, f.help)
		}
		begun = true
		b = sample(b, f.name, n.Name, "", v)
	}
	return b
}

// outcomes are a sample for each way in which a run can end, those too that there was none of: a
// counter that begins with its first event hides that event from rate().
func outcomes(b []byte, name string, n *Name) []byte {
	for _, o := range history.Outcomes() {
		if o != history.Skipped {
			b = sample(b, name, n.Name, o.String(), float64(n.All.Count[o]))
		}
	}
	return b
}

func head(b []byte, name, kind, help string) []byte {
	b = append(b, "# HELP "+name+" "...)
	b = append(b, strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)...)
	return append(b, "\n# TYPE "+name+" "+kind+"\n"...)
}

func sample(b []byte, metric, name, outcome string, v float64) []byte {
	b = append(b, metric...)
	if name != "" {
		b = append(b, `{name="`...)
		b = label(b, name)
		if outcome != "" {
			b = append(b, `",outcome="`...)
			b = label(b, outcome)
		}
		b = append(b, `"}`...)
	}
	b = append(b, ' ')
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	return append(b, '\n')
}

// label appends a value between its quotation marks. It has to be UTF-8.
func label(b []byte, s string) []byte {
	for _, r := range s { // what is no UTF-8 is U+FFFD here
		switch r {
		case '\\':
			b = append(b, `\\`...)
		case '"':
			b = append(b, `\"`...)
		case '\n':
			b = append(b, `\n`...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}
