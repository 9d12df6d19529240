package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/sole-run/sole/internal/history"
)

const (
	// mostMarks is how many records are drawn one by one.
	mostMarks = 240
	// lately is how many of the last records are drawn one by one if that is too many.
	lately = 80
	// mostColumns is how many columns the records are summed up in then.
	mostColumns = 96
	// mostLanes is how many runs at the same time are drawn above each other.
	mostLanes = 6
)

// whole is the time from the first record to now.
func (n *Name) whole(p *Page) span {
	s := span{from: n.firstAt, to: p.Now}
	if n.lastAt.After(s.to) {
		s.to = n.lastAt
	}
	for _, h := range n.Now {
		if !h.Started.IsZero() && plausible(h.Started) && (s.from.IsZero() || h.Started.Before(s.from)) {
			s.from = h.Started
		}
	}
	if s.from.IsZero() || s.from.After(s.to) {
		s.from = s.to
	}
	if !p.Since.IsZero() && p.Since.Before(s.to) && plausible(p.Since) {
		s.from = p.Since
	}
	return s.padded(p)
}

// padded leaves a little room at the ends, so that nothing sits on the edge.
func (s span) padded(p *Page) span {
	room := max(s.to.Sub(s.from)/64, 2*time.Second)
	return span{from: s.from.Add(-room).In(p.Now.Location()), to: s.to.Add(room).In(p.Now.Location())}
}

// timelines draws what ran when: all, and if that is too much to tell apart the last of it too.
func (n *Name) timelines(p *Page, m *markup, id string) {
	all := n.whole(p)
	drawn := n.withHolders(p)
	if len(drawn) <= mostMarks {
		n.each(p, m, id+"-when", all, drawn, "Runs and skips")
	} else {
		n.columns(p, m, id+"-when", all)
	}
	last := drawn[max(0, len(drawn)-lately):]
	if len(last) == 0 {
		return
	}
	s := span{from: last[0].from, to: last[0].to}
	for _, r := range last {
		s.from, s.to = earlier(s.from, r.from), later(s.to, r.to)
	}
	s = s.padded(p)
	squeezed := s.to.Sub(s.from) < all.to.Sub(all.from)/5 && len(last) > 1
	if len(drawn) > mostMarks || squeezed {
		n.each(p, m, id+"-late", s, last, fmt.Sprintf("The last %s", things(uint64(len(last)), "record")))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// withHolders are the records, in the order of their starts, and the runs that go on.
func (n *Name) withHolders(p *Page) []mark {
	all := slices.Clone(n.drawn)
	for _, h := range n.Now {
		if from := h.Started; plausible(from) && from.Before(p.Now.Add(day)) {
			all = append(all, mark{from: from, to: later(from, p.Now), lasted: h.Lasts, run: h.Run, outcome: history.None})
		}
	}
	slices.SortStableFunc(all, func(a, b mark) int { return a.from.Compare(b.from) })
	return all
}

const (
	stripHeight = 22 // where skips are
	laneHeight  = 30
	barHeight   = 14
)

// each draws every record: a bar a run, and above all a mark for each skip.
func (n *Name) each(p *Page, m *markup, id string, s span, drawn []mark, caption string) {
	lanes := lanesOf(drawn)
	f := figure{
		id: id, caption: caption, span: s, height: float64(stripHeight + laneHeight*max(1, slices.Max(append(lanes, 0))+1) + 4),
		title: caption + " of " + n.Name,
		left:  []label{{stripHeight / 2, "skips", ""}, {stripHeight + laneHeight - barHeight/2, "runs", ""}},
		draw: func(m *markup) {
			for i := range drawn {
				drawMark(p, m, s, &drawn[i], lanes[i])
			}
		},
	}
	f.desc, f.legend = legendOf(drawn, s, p)
	f.write(m)
}

// lanesOf puts runs that overlap above each other. A skip has none.
func lanesOf(drawn []mark) []int {
	var free [mostLanes]time.Time
	lanes := make([]int, len(drawn))
	for i, r := range drawn {
		if r.outcome == history.Skipped {
			continue
		}
		for lane := range free {
			if !free[lane].After(r.from) || lane == mostLanes-1 {
				lanes[i], free[lane] = lane, later(free[lane], r.to)
				break
			}
		}
	}
	return lanes
}

func drawMark(p *Page, m *markup, s span, r *mark, lane int) {
	if r.outcome == history.Skipped {
		m.open("use", "href", "#m-skip", "x", s.at(r.from), "y", px(stripHeight/2))
		m.el("title", "skipped "+p.stamp(r.from))
		m.end()
		return
	}
	top := float64(stripHeight + lane*laneHeight + laneHeight - barHeight)
	from, to := s.fraction(r.from), s.fraction(r.to) // its edge has a width, but SVG draws none if there is nothing within
	class, word := "now", "runs since "+p.stamp(r.from)
	if r.outcome != history.None {
		class, word = classOf(r.outcome), r.outcome.String()+", "+p.stamp(r.from)+", "+lasting(r.lasted)
	}
	m.open("rect", "class", class, "x", part(from), "y", px(top), "width", part(max(to-from, 0.0001)), "height", px(barHeight))
	m.el("title", fmt.Sprintf("run %d: %s", r.run, word))
	m.end()
	if class == "bad" {
		m.leaf("use", "href", "#m-bad", "x", part(to), "y", px(top-8))
	}
}

func classOf(o history.Outcome) string {
	switch kindOf(o) {
	case good:
		return "ok"
	case bad:
		return "bad"
	}
	return "other"
}

// legendOf explains the signs that are there, and counts them.
func legendOf(drawn []mark, s span, p *Page) (desc string, l []legend) {
	var n [kinds]uint64
	going := uint64(0)
	for _, r := range drawn {
		if r.outcome == history.None {
			going++
		} else {
			n[kindOf(r.outcome)]++
		}
	}
	desc = fmt.Sprintf("From %s to %s: ", p.stamp(s.from), p.stamp(s.to)) + sentence(n, going) + "."
	for _, e := range []struct {
		n uint64
		legend
	}{
		{n[good], legend{"ok", "succeeded"}}, {n[bad], legend{"m-bad", "failed"}},
		{n[other], legend{"other", "ended otherwise"}}, {going, legend{"now", "runs now"}}, {n[skip], legend{"m-skip", "skipped: it would have overlapped"}},
	} {
		if e.n > 0 {
			l = append(l, e.legend)
		}
	}
	return desc, l
}

// sentence says how many there are of each kind.
func sentence(n [kinds]uint64, going uint64) string {
	s := things(n[good], "run") + " succeeded, " + count(n[bad]) + " failed"
	if n[other] > 0 {
		s += ", " + count(n[other]) + " ended otherwise"
	}
	if going > 0 {
		s += ", " + count(going) + " going on"
	}
	return s + ", " + things(n[skip], "start") + " skipped"
}
