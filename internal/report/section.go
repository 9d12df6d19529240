package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/history"
)

// section is all about one name.
func (n *Name) section(p *Page) *markup {
	m := &markup{stack: make([]string, 0, 16)}
	m.stack = append(m.stack, "main", "body", "html", "x") // how deep it will be
	id := n.id()
	m.open("section", "id", id, "aria-labelledby", id+"-h")
	m.open("h2", "id", id+"-h")
	m.el("bdi", n.Name)
	m.end()
	n.tiles(p, m)
	n.nowRunning(p, m)
	if len(n.last) == 0 && len(n.Now) == 0 {
		m.el("p", n.nothing(p), "class", "empty")
		n.oddNote(m)
		m.end()
		return m
	}
	if len(n.drawn) > 0 || len(n.Now) > 0 {
		m.el("h3", "What ran when")
		n.prevented(m)
		n.timelines(p, m, id)
		n.trend(p, m, id)
		n.periods(p, m)
	}
	n.oddNote(m)
	n.failureTable(p, m)
	n.lastTable(p, m)
	m.end()
	return m
}

// nothing says why there is nothing to show.
func (n *Name) nothing(p *Page) string {
	if n.All.Runs()+n.All.Count[history.Skipped] > 0 && !p.Since.IsZero() {
		return "Nothing ran and nothing was skipped since " + p.stamp(p.Since) + "."
	}
	return "It has not run yet."
}

// tiles are the figures of a name.
func (n *Name) tiles(p *Page, m *markup) {
	t := &n.Stats.Totals
	m.open("dl", "class", "tiles")
	tile(m, "Now", func() { n.state(m) }, "")
	tile(m, "Runs", func() { m.text(count(t.Runs())) }, "")
	tile(m, "Succeeded", func() { m.text(percent(of(t, good), of(t, good)+of(t, bad))) }, things(of(t, bad), "failure"))
	tile(m, "Usually", func() { m.text(usually(n.usual(50))) }, "p95 "+usually(n.usual(95)))
	tile(m, "Skips", func() { m.text(count(t.Count[history.Skipped])) }, inRow(n.All.SkipsInRow))
	p.lastSuccess(m, n.All.LastOK)
	m.end()
}

// lastSuccess is how long it has been since, and when that was.
func (p *Page) lastSuccess(m *markup, t time.Time) {
	if t.IsZero() {
		tile(m, "Last success", func() { m.text("–") }, "")
		return
	}
	tile(m, "Last success", func() {
		ago := "just now"
		if d := p.Now.Sub(t); d >= time.Second {
			ago = roughly(d) + " ago"
		}
		m.el("time", ago, "datetime", t.In(p.Now.Location()).Format(time.RFC3339))
	}, p.stamp(t))
}

func inRow(n uint64) string {
	if n < 2 {
		return ""
	}
	return count(n) + " in a row now"
}

// tile is a figure, and what is to be said about it.
func tile(m *markup, name string, value func(), more string) {
	m.open("div")
	m.el("dt", name)
	m.open("dd")
	value()
	m.end()
	if more != "" {
		m.el("dd", more, "class", "more")
	}
	m.end()
}

// usual is a quantile of the last runs that succeeded, whatever is shown.
func (n *Name) usual(percent int) (d time.Duration, known bool) {
	u := &n.All.Usual
	d = u.P95()
	if percent == 50 {
		d = u.P50()
	}
	return d, u.N >= fewest
}

// state writes whether the name is held, with a sign.
func (n *Name) state(m *markup) {
	switch {
	case len(n.Now) == 0:
		badge(m, "free", "free")
	case slices.ContainsFunc(n.Now, func(h Holder) bool { return h.Orphaned }):
		badge(m, "bad", "orphaned")
	case len(n.Now) > 1:
		badge(m, "held", fmt.Sprintf("held by %d", len(n.Now)))
	default:
		badge(m, "held", "held")
	}
}

// badge is a word with a sign of its own before it: colour is not the only one.
func badge(m *markup, class, word string) {
	m.el("span", word, "class", "badge "+class)
}

// outcome writes how a run ended.
func outcomeBadge(m *markup, o history.Outcome) {
	switch kindOf(o) {
	case good:
		badge(m, "good", o.String())
	case bad:
		badge(m, "bad", o.String())
	case skip:
		badge(m, "skip", o.String())
	default:
		badge(m, "other", o.String())
	}
}

// holdersShown is how many of those who hold a name are named.
const holdersShown = 10

// nowRunning says who holds the name.
func (n *Name) nowRunning(p *Page, m *markup) {
	if len(n.Now) == 0 {
		return
	}
	m.open("ul", "class", "now-list")
	for i, h := range n.Now {
		if i == holdersShown {
			m.el("li", fmt.Sprintf("and %d more", len(n.Now)-i))
			break
		}
		m.open("li")
		m.text(fmt.Sprintf("Run %d", h.Run))
		if h.PID > 0 {
			m.text(fmt.Sprintf(", pid %d", h.PID))
		}
		if !h.Started.IsZero() {
			m.text(", runs since ")
			p.moment(m, h.Started)
			m.text(" (" + lasting(h.Lasts) + n.against(h.Lasts) + ")")
		}
		if h.Orphaned {
			m.text(", its supervisor was killed")
		}
		command(m, ": ", h.Command)
		m.end()
	}
	m.end()
	if n.Waiters > 0 {
		m.el("p", things(uint64(n.Waiters), "start")+" "+verb(n.Waiters, "waits", "wait")+" for it.")
	}
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// against compares how long a run has lasted with the usual.
func (n *Name) against(d time.Duration) string {
	p50, known := n.usual(50)
	p95, _ := n.usual(95)
	switch {
	case !known:
		return ""
	case d > p95:
		return "; usually " + lasting(p50) + ", longer than p95 " + lasting(p95)
	}
	return "; usually " + lasting(p50)
}

// prevented says how many overlaps there would have been.
func (n *Name) prevented(m *markup) {
	k := n.Stats.Count[history.Skipped]
	switch k {
	case 0:
		m.el("p", "No start found it held.", "class", "lead")
	case 1:
		m.el("p", "1 overlap was prevented: a start that found it held was skipped.", "class", "lead")
	default:
		m.el("p", count(k)+" overlaps were prevented: starts that found it held were skipped.", "class", "lead")
	}
}

// oddNote says what is not in the pictures.
func (n *Name) oddNote(m *markup) {
	if n.odd > 0 {
		m.el("p", fmt.Sprintf("Not in the pictures: %s whose time cannot be right, as before the clock was set.", things(uint64(n.odd), "record")), "class", "note")
	}
	if n.Torn > 0 {
		m.el("p", fmt.Sprintf("%s of the history cannot be read and %s left out.", things(uint64(n.Torn), "line"), verb(n.Torn, "is", "are")), "class", "note")
	}
}

// commandShown is how many characters of a command are shown.
const commandShown = 160

// command writes a command as a shell would take it.
func command(m *markup, before string, words []string) {
	if len(words) == 0 {
		return
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	m.text(before)
	m.el("code", clip(strings.Join(quoted, " "), commandShown), "dir", "ltr")
}

func quote(w string) string {
	plain := w != ""
	for _, c := range []byte(w) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && c < 0x80 && !strings.ContainsRune("-_./:=,@%+", rune(c)) {
			plain = false
		}
	}
	if plain {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
