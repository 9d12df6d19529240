package report

import (
	"fmt"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

const fewest = usual.Fewest

// totals are the figures of all names.
func (p *Page) totals(m *markup) {
	var t history.Totals
	held, orphaned := 0, 0
	for _, n := range p.Names {
		t = t.Plus(n.Stats.Totals)
		if len(n.Now) > 0 {
			held++
		}
		for _, h := range n.Now {
			if h.Orphaned {
				orphaned++
			}
		}
	}
	more := ""
	if orphaned > 0 {
		more = things(uint64(orphaned), "run") + " without a supervisor"
	}
	m.open("dl", "class", "tiles")
	tile(m, "Names", func() { m.text(count(uint64(len(p.Names)))) }, "")
	tile(m, "Held now", func() { m.text(count(uint64(held))) }, more)
	tile(m, "Runs", func() { m.text(count(t.Runs())) }, "")
	tile(m, "Succeeded", func() { m.text(percent(of(&t, good), of(&t, good)+of(&t, bad))) }, things(of(&t, bad), "failure"))
	tile(m, "Overlaps prevented", func() { m.text(count(t.Count[history.Skipped])) }, "")
	p.lastSuccess(m, t.LastOK)
	m.end()
}

// attention is a reason to look at a name first, and how urgent it is: 0 for none.
func (n *Name) attention(now time.Time) (reason string, rank int) {
	for _, h := range n.Now {
		if h.Orphaned {
			return "goes on without its supervisor, which was killed", 5
		}
		if p95, known := n.usual(95); known && h.Lasts > p95 && h.Lasts > time.Second {
			return "runs for " + lasting(h.Lasts) + ", longer than p95 " + lasting(p95), 4
		}
	}
	if k := n.All.SkipsInRow; k >= 3 {
		return count(k) + " starts in a row were skipped", 3
	}
	if kindOf(n.All.LastOutcome) == bad {
		reason = "its last run ended as " + n.All.LastOutcome.String()
		if ok := n.All.LastOK; !ok.IsZero() && now.After(ok) {
			reason += "; the last success was " + lasting(now.Sub(ok)) + " ago"
		} else if ok.IsZero() {
			reason += "; it has not succeeded yet"
		}
		return reason, 2
	}
	return "", 0
}

// attentionShown is how many names are said to need a look.
const attentionShown = 12

// needLook lists the names that somebody should look at.
func (p *Page) needLook(m *markup, linked map[*Name]bool) {
	shown, more := 0, 0
	for rank := 5; rank > 0; rank-- {
		for _, n := range p.Names {
			reason, r := n.attention(p.Now)
			if r != rank {
				continue
			}
			if shown == attentionShown {
				more++
				continue
			}
			if shown == 0 {
				m.el("h2", "Worth a look")
				m.open("ul", "class", "look")
			}
			shown++
			m.open("li")
			n.link(m, linked[n])
			m.text(": " + reason)
			m.end()
		}
	}
	if more > 0 {
		m.el("li", fmt.Sprintf("and %s more", count(uint64(more))))
	}
	if shown > 0 {
		m.end()
	}
}

// link writes the name, with the way to its section if it has one.
func (n *Name) link(m *markup, linked bool) {
	if !linked {
		m.el("bdi", n.Name)
		return
	}
	m.open("a", "href", "#"+n.id())
	m.el("bdi", n.Name)
	m.end()
}

// indexShown is how many lines the table of all names has at most.
const indexShown = 1500

// index is a line a name.
func (p *Page) index(m *markup, linked map[*Name]bool) {
	m.el("h2", "All names")
	table(m, "Names and what is known of each", "Name", "Now", "#Runs", "#Succeeded", "#Failures", "#Skips", "#p50", "#p95", "Last success", "Last run")
	for i, n := range p.Names {
		if i == indexShown {
			break
		}
		p.indexRow(m, n, linked[n])
	}
	endTable(m)
	if k := len(p.Names) - indexShown; k > 0 {
		m.el("p", fmt.Sprintf("%s more are not listed. 'sole report NAME' draws one of them, 'sole ls --all' lists all.", things(uint64(k), "name")), "class", "note")
	}
}

func (p *Page) indexRow(m *markup, n *Name, linked bool) {
	t := &n.Stats.Totals
	m.open("tr")
	m.open("th", "scope", "row")
	n.link(m, linked)
	m.end()
	m.open("td")
	n.state(m)
	m.end()
	number(m, count(t.Runs()))
	number(m, percent(of(t, good), of(t, good)+of(t, bad)))
	number(m, count(of(t, bad)))
	number(m, count(t.Count[history.Skipped]))
	number(m, usually(n.usual(50)))
	number(m, usually(n.usual(95)))
	m.open("td")
	p.moment(m, n.All.LastOK)
	m.end()
	m.open("td")
	if o := n.All.LastOutcome; o != history.None {
		outcomeBadge(m, o)
	} else {
		m.text("–")
	}
	m.end()
	m.end()
}
