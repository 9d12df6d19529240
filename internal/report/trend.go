package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/usual"
)

const trendHeight = 150

// trend draws how long runs took, and what was usual at each time.
func (n *Name) trend(p *Page, m *markup, id string) {
	var runs []mark
	for _, r := range n.drawn {
		if r.outcome != history.Skipped && !r.unseen {
			runs = append(runs, r)
		}
	}
	if len(runs) == 0 {
		return
	}
	slices.SortStableFunc(runs, func(a, b mark) int { return a.from.Compare(b.from) })
	s := n.whole(p)
	y := scaleFor(runs)
	f := figure{
		id: id + "-long", caption: "How long runs take", span: s, height: trendHeight + 10,
		title: "How long runs of " + n.Name + " take", left: y.labels, rules: y.rules(),
	}
	path := newUsualPath(runs, s, &y)
	f.right = path.labels(&y)
	f.desc = fmt.Sprintf("%s that took from %s to %s.", things(uint64(len(runs)), "run"), lasting(y.shortest), lasting(y.longest))
	if path.known {
		f.desc += fmt.Sprintf(" At the end half of the last ones took up to %s, and 95 in 100 up to %s.", lasting(path.p50), lasting(path.p95))
	}
	one := len(runs) <= mostMarks
	f.draw = func(m *markup) {
		if one {
			dots(p, m, s, &y, runs)
		} else {
			ranges(m, s, &y, runs)
		}
		path.draw(m)
	}
	f.legend = trendLegend(runs, one, path.known)
	if !one {
		_, by := columnsOf(runs, s, 2*mostColumns)
		f.note = fmt.Sprintf("A line and its dot sum up the runs of %s that succeeded: %s in all.", by.article(), things(uint64(succeeded(runs)), "run"))
	}
	if y.log {
		f.note = strings.TrimSpace(f.note + " The scale is logarithmic.")
	}
	f.write(m)
}

func trendLegend(runs []mark, one, known bool) (l []legend) {
	var n [kinds]int
	for _, r := range runs {
		n[kindOf(r.outcome)]++
	}
	switch {
	case !one:
		l = append(l, legend{"range", "shortest to longest"}, legend{"m-ok", "the middle one"})
	default:
		for _, e := range []struct {
			k kind
			legend
		}{{good, legend{"m-ok", "succeeded"}}, {bad, legend{"m-bad", "failed"}}, {other, legend{"m-other", "ended otherwise"}}} {
			if n[e.k] > 0 {
				l = append(l, e.legend)
			}
		}
	}
	if known {
		l = append(l, legend{"p50", "p50: half of the last 32 that succeeded took that long or less"}, legend{"p95", "p95: 95 in 100 did"})
	}
	return l
}

func dots(p *Page, m *markup, s span, y *scale, runs []mark) {
	for _, r := range runs {
		name := map[kind]string{good: "m-ok", bad: "m-bad", other: "m-other"}[kindOf(r.outcome)]
		m.open("use", "href", "#"+name, "x", s.at(r.from), "y", px(y.at(r.lasted)))
		m.el("title", fmt.Sprintf("run %d: %s, %s, %s", r.run, r.outcome, p.stamp(r.from), lasting(r.lasted)))
		m.end()
	}
}

func ranges(m *markup, s span, y *scale, runs []mark) {
	cols, _ := columnsOf(runs, s, 2*mostColumns)
	for i := range cols {
		c := &cols[i]
		if len(c.ok) == 0 {
			continue
		}
		x := part((s.fraction(c.from) + s.fraction(c.to)) / 2)
		low, high := c.ok[0], c.ok[len(c.ok)-1]
		m.leaf("line", "class", "range", "x1", x, "x2", x, "y1", px(y.at(low)+1), "y2", px(y.at(high)-1))
		m.open("use", "href", "#m-ok", "x", x, "y", px(y.at(rank(c.ok, 50))))
		m.el("title", fmt.Sprintf("%s: %d runs, %s to %s", c.from.Format("2006-01-02 15:04"), len(c.ok), lasting(low), lasting(high)))
		m.end()
	}
}

// scale is where durations are.
type scale struct {
	log               bool
	ticks             []time.Duration
	shortest, longest time.Duration
	labels            []label
}

// spread is how many times as long as the middle run the longest one has to be for a logarithmic scale.
const spread = 25

func scaleFor(runs []mark) scale {
	all := make([]time.Duration, len(runs))
	for i, r := range runs {
		all[i] = max(r.lasted, 0)
	}
	slices.Sort(all)
	y := scale{shortest: all[0], longest: all[len(all)-1]}
	middle := rank(all, 50)
	if y.log = y.longest > spread*max(middle, time.Millisecond); y.log {
		y.ticks = logTicks(max(rank(all, 5), time.Millisecond), y.longest)
	} else {
		y.ticks = durationTicks(max(y.longest, 5*time.Millisecond))
	}
	keep := (len(y.ticks) + 6) / 7 // not too many labels
	for i, t := range y.ticks {
		if (len(y.ticks)-1-i)%keep == 0 {
			y.labels = append(y.labels, label{y.at(t), round(t), ""})
		}
	}
	return y
}

func (y *scale) rules() (r []float64) {
	for _, l := range y.labels {
		r = append(r, l.y)
	}
	return r
}

// at is how far below the top of the picture a duration is.
func (y *scale) at(d time.Duration) float64 {
	low, high := y.ticks[0], y.ticks[len(y.ticks)-1]
	f := float64(d-low) / float64(high-low)
	if y.log {
		f = math.Log(float64(max(d, low))/float64(low)) / math.Log(float64(high)/float64(low))
	}
	return 8 + (trendHeight-8)*(1-min(max(f, 0), 1)) + 2
}

// usualPath is what was usual when.
type usualPath struct {
	known    bool
	p50, p95 time.Duration // at the end
	mid, top strings.Builder
}

// newUsualPath follows the usual over the runs, with as many points as can be seen.
func newUsualPath(runs []mark, s span, y *scale) *usualPath {
	const most = 400
	var u usualPath
	var sample usual.Sample
	every := max(1, len(runs)/most)
	for i, r := range runs {
		if r.outcome == history.OK {
			sample.Add(r.lasted)
		}
		last := i == len(runs)-1
		if sample.N < usual.Fewest || i%every != 0 && !last {
			continue
		}
		u.known, u.p50, u.p95 = true, sample.P50(), sample.P95()
		x := px(s.fraction(r.from) * 1000)
		u.mid.WriteString(x + "," + px(y.at(u.p50)) + " ")
		u.top.WriteString(x + "," + px(y.at(u.p95)) + " ")
		if last {
			u.mid.WriteString("1000," + px(y.at(u.p50)))
			u.top.WriteString("1000," + px(y.at(u.p95)))
		}
	}
	return &u
}

func (u *usualPath) draw(m *markup) {
	if !u.known {
		return
	}
	const h = trendHeight + 10
	m.open("svg", "width", "100%", "height", px(h), "viewBox", "0 0 1000 "+px(h), "preserveAspectRatio", "none")
	m.leaf("polyline", "class", "p95", "points", u.top.String())
	m.leaf("polyline", "class", "p50", "points", u.mid.String())
	m.end()
}

// labels stand at the ends of the lines, apart from each other.
func (u *usualPath) labels(y *scale) []label {
	if !u.known {
		return nil
	}
	const apart = 30
	low, high := y.at(u.p50), y.at(u.p95)
	if low-high < apart {
		middle := (low + high) / 2
		middle = min(max(middle, apart/2+8), trendHeight-apart/2)
		low, high = middle+apart/2, middle-apart/2
	}
	return []label{
		{high - 6, "p95", "name"}, {high + 7, lasting(u.p95), "value"},
		{low - 6, "p50", "name"}, {low + 7, lasting(u.p50), "value"},
	}
}

func succeeded(runs []mark) (n int) {
	for _, r := range runs {
		if r.outcome == history.OK {
			n++
		}
	}
	return n
}
