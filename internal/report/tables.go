package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sole-run/sole/internal/history"
)

// table begins a table that scrolls by itself where it is too wide.
func table(m *markup, caption string, heads ...string) {
	m.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", caption)
	m.open("table")
	m.el("caption", caption)
	m.open("thead")
	m.open("tr")
	for _, h := range heads {
		name, class := h, ""
		if h[0] == '#' { // numbers
			name, class = h[1:], "num"
		}
		m.el("th", name, "scope", "col", "class", class)
	}
	m.end()
	m.end()
	m.open("tbody")
}

func endTable(m *markup) {
	m.end()
	m.end()
	m.end()
}

func number(m *markup, s string) { m.el("td", s, "class", "num") }

// periods says in numbers what the pictures show.
func (n *Name) periods(p *Page, m *markup) {
	const most = 14
	cols, by := columnsOf(n.drawn, n.whole(p), most)
	m.open("details")
	m.el("summary", "The same in numbers")
	table(m, "Runs of "+n.Name+" by "+by.article(), "From", "#Runs", "#Ok", "#Failed", "#Otherwise", "#Skipped", "#Shortest", "#p50", "#p95", "#Longest")
	for i := range cols {
		c := &cols[i]
		if c.runs()+c.n[skip] == 0 {
			continue
		}
		m.open("tr")
		m.open("th", "scope", "row")
		p.moment(m, c.from)
		m.end()
		for _, k := range []int{c.runs(), c.n[good], c.n[bad], c.n[other], c.n[skip]} {
			number(m, count(uint64(k)))
		}
		if len(c.ok) == 0 {
			for range 4 {
				number(m, "–")
			}
		} else {
			for _, q := range []time.Duration{c.ok[0], rank(c.ok, 50), rank(c.ok, 95), c.ok[len(c.ok)-1]} {
				number(m, lasting(q))
			}
		}
		m.end()
	}
	endTable(m)
	m.end()
}

// article is the step as a part of time: "day", "6 hours".
func (s step) article() string { return s.String() }

// failureTable lists the last failures.
func (n *Name) failureTable(p *Page, m *markup) {
	m.el("h3", "Failures")
	all := of(&n.Stats.Totals, bad)
	if all == 0 {
		m.el("p", "None.", "class", "empty")
		return
	}
	if len(n.failures) == 0 { // they are in files that are gone
		m.el("p", things(all, "run")+" failed, of which the records are gone.", "class", "empty")
		return
	}
	caption := "The " + lastOf(len(n.failures), all, "failure")
	table(m, caption, "Started", "#Run", "How it ended", "#After", "Command")
	for _, l := range slices.Backward(n.failures) {
		n.row(p, m, &l)
	}
	endTable(m)
}

// lastOf is "only failure", "last 20 failures of 118", "3 failures".
func lastOf(shown int, all uint64, thing string) string {
	switch {
	case all == 1:
		return "only " + thing
	case uint64(shown) == all:
		return things(all, thing)
	case shown == 1:
		return "last " + thing + " of " + count(all)
	}
	return "last " + things(uint64(shown), thing) + " of " + count(all)
}

// lastTable lists the last records.
func (n *Name) lastTable(p *Page, m *markup) {
	m.el("h3", "The last runs and skips")
	if len(n.last) == 0 {
		m.el("p", "None.", "class", "empty")
		return
	}
	all := n.Stats.Runs() + n.Stats.Count[history.Skipped]
	table(m, "The "+lastOf(len(n.last), all, "record"), "Started", "#Run", "How it ended", "#After", "Command")
	for _, l := range slices.Backward(n.last) {
		n.row(p, m, &l)
	}
	endTable(m)
}

// row is a record.
func (n *Name) row(p *Page, m *markup, l *history.Line) {
	e, _ := l.Entry()
	m.open("tr")
	m.open("th", "scope", "row")
	p.moment(m, l.Started)
	m.end()
	if l.Run == 0 {
		number(m, "–")
	} else {
		number(m, strconv.FormatUint(l.Run, 10))
	}
	m.open("td")
	outcomeBadge(m, l.Outcome)
	n.how(p, m, l, &e)
	m.end()
	switch {
	case l.Outcome == history.Skipped && l.Lasted == 0:
		number(m, "–")
	case l.Closing:
		number(m, "≥ "+lasting(l.Lasted))
	default:
		number(m, lasting(l.Lasted))
	}
	m.open("td", "class", "command")
	command(m, "", e.Command)
	m.end()
	m.end()
}

// how says more of how a run ended.
func (n *Name) how(p *Page, m *markup, l *history.Line, e *history.Entry) {
	say := func(format string, args ...any) { m.el("span", fmt.Sprintf(format, args...), "class", "how") }
	switch {
	case l.Outcome == history.Skipped:
		n.inTheWay(p, m, l, e)
	case e.SignalName != "":
		say("by %s", e.SignalName)
	case l.Outcome == history.Failed && e.ExitCode >= 0:
		say("exit code %d", e.ExitCode)
	}
	if l.Closing {
		m.open("span", "class", "how")
		m.text("unseen; it had ended by ")
		p.moment(m, e.EndedBefore)
		m.end()
	}
	if l.Ended.Before(l.Started) {
		say("the clock was set back meanwhile")
	}
}

// inTheWay says of a skip what it would have overlapped.
func (n *Name) inTheWay(p *Page, m *markup, l *history.Line, e *history.Entry) {
	m.open("span", "class", "how")
	defer m.end()
	switch {
	case e.HolderRun > 0:
		m.text(fmt.Sprintf("run %d was in its way", e.HolderRun))
	case e.HolderPID > 0:
		m.text(fmt.Sprintf("pid %d was in its way", e.HolderPID))
	default:
		m.text("it was held")
	}
	if since := l.Started.Sub(e.HolderStarted); !e.HolderStarted.IsZero() && since >= 0 {
		m.text(", for " + lasting(since) + " by then")
	}
}
