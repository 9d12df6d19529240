package main

import (
	"os"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/report"
)

var reportCommand = &command{
	name:    "report",
	args:    "[NAME]",
	summary: "draw a page about the runs and skips of NAME, or of all names",
	about: `Writes one HTML page: what ran when, what was skipped, how long runs take and
which ones failed. It needs no network and no script. FILE is replaced as a
whole, or stays as it was. -o - is standard output, which may be left out if
that is no terminal. Looking takes no lock. TIME is as in 'sole help history'.`,
	takesNames: true,
	freeNames:  true,
	setup: func(f *flags) func([]string) int {
		var dir, out string
		var since time.Time
		f.string(&out, "output", 'o', "FILE", "write the page to FILE")
		f.add(&flag{long: "since", value: "TIME", help: "leave out what ended before TIME", set: func(v string) (err error) {
			since, err = parseTime(v, time.Now())
			return err
		}})
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			only := ""
			if len(args) > 0 {
				n, err := oneName("report", args)
				if err != nil {
					return fail(err)
				}
				if _, err := sole.Path(n, sole.Dir(dir)); err != nil { // "" is no name, and does not mean all
					return fail(err)
				}
				only = n
			}
			if out == "" {
				if isTerminal(1) {
					return fail(&failure{exitUsage, "report: -o FILE is missing", "-o - writes the page to the terminal"})
				}
				out = "-"
			}
			return drawReport(dir, only, since, target{"report", out})
		}
	},
}

func drawReport(dir, only string, since time.Time, out target) int {
	c, err := openChronicle(dir, only)
	if err != nil {
		return fail(err)
	}
	p := &report.Page{Now: time.Now(), Dir: c.path(), Only: only, Since: since}
	p.Host, _ = os.Hostname()
	c.fill(p)
	chosen := p.Choose()
	if len(chosen) < len(p.Names) {
		// Only those that are drawn need all their records.
		kept := c.faults
		for _, n := range chosen {
			*n = *c.nameFor(p, n.Name, true)
		}
		c.faults = kept
	}
	for _, f := range c.faults {
		p.Missing = append(p.Missing, message(f))
	}
	code := c.report()
	return max(code, out.write(p.HTML(chosen)))
}

// fill reads all names.
func (c *chronicle) fill(p *report.Page) {
	detail := len(c.names) <= report.MaxSections
	for _, n := range c.names {
		p.Names = append(p.Names, c.nameFor(p, n, detail))
	}
}

func (c *chronicle) nameFor(p *report.Page, name string, detail bool) *report.Name {
	n := &report.Name{Name: name}
	found, _ := c.replay(name, func(l *history.Line) { n.Add(p, l, detail) })
	n.Done(p, found)
	st := c.status[name]
	n.Waiters = st.Waiters
	for _, h := range st.Holders() {
		n.Now = append(n.Now, report.Holder{
			Run: h.Run, PID: max(h.PID, 0), Started: h.StartedAt, Lasts: elapsed(h), Command: h.Command, User: h.User, Orphaned: h.Orphaned,
		})
	}
	if p.Only != "" && len(n.Now) == 0 && n.All.Runs()+n.All.Count[history.Skipped] == 0 {
		say("%s has not run yet in %s", name, c.path())
	}
	return n
}
