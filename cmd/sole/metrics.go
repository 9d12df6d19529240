package main

import (
	"github.com/sole-run/sole/internal/metrics"
)

var metricsCommand = &command{
	name:    "metrics",
	summary: "print what is known of all names, for Prometheus",
	about: `Prints the text format that the textfile collector of Prometheus'
node_exporter reads: what is held, for how long, runs by outcome, skips, the last
success, how long runs usually take. With -o FILE is replaced as a whole, so the
collector never reads half of it. Looking takes no lock.`,
	setup: func(f *flags) func([]string) int {
		var dir string
		out := "-"
		f.string(&out, "output", 'o', "FILE", "write to FILE")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if len(args) > 0 {
				return fail(usageError("metrics: %q is too much: it takes no name", shorten(args[0])))
			}
			c, err := openChronicle(dir, "")
			if err != nil {
				return fail(err)
			}
			text := metrics.Text(c.metrics(), len(c.faults))
			return max(c.report(), target{"metrics", out}.write(text))
		}
	},
}

// metrics is what is to be said of each name. One whose history cannot be read is left out: what has
// been counted so far would seem to be gone, and to come again.
func (c *chronicle) metrics() (all []*metrics.Name) {
	for _, name := range c.names {
		n := &metrics.Name{Name: name}
		found, ok := c.replay(name, n.All.Add)
		if !ok {
			continue
		}
		n.All.Totals, n.Torn = n.All.Plus(found.Before), found.Torn
		st := c.status[name]
		n.Waiters = st.Waiters
		for _, h := range st.Holders() {
			n.Holders++
			n.Orphaned = n.Orphaned || h.Orphaned
			if !h.StartedAt.IsZero() && (n.Started.IsZero() || elapsed(h) > n.Lasts) {
				n.Started, n.Lasts = h.StartedAt, elapsed(h)
			}
		}
		all = append(all, n)
	}
	return all
}
