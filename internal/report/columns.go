package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sole-run/sole/internal/history"
)

// column sums up the records that began within a time.
type column struct {
	from, to time.Time
	n        [kinds]int
	ok       []time.Duration // how long the runs took that succeeded
}

func (c *column) runs() int { return c.n[good] + c.n[bad] + c.n[other] }

// columnsOf sums up the records in at most so many columns.
func columnsOf(drawn []mark, s span, most int) ([]column, step) {
	by := stepFor(s.to.Sub(s.from), most)
	edges := by.edges(s.from, s.to)
	cols := make([]column, len(edges)-1)
	for i := range cols {
		cols[i] = column{from: edges[i], to: edges[i+1]}
	}
	for _, r := range drawn {
		if r.outcome == history.None {
			continue
		}
		// The first one that ends behind it.
		i, _ := slices.BinarySearchFunc(cols, r.from, func(c column, t time.Time) int {
			if c.to.After(t) {
				return 1
			}
			return -1
		})
		c := &cols[min(i, len(cols)-1)]
		c.n[kindOf(r.outcome)]++
		if r.outcome == history.OK {
			c.ok = append(c.ok, r.lasted)
		}
	}
	for i := range cols {
		slices.Sort(cols[i].ok)
	}
	return cols, by
}

// rank is a quantile by the nearest rank.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[(percent*len(sorted)+99)/100-1]
}

const columnsHeight = 96

// columns draws how many runs and skips there were in each part of the time.
func (n *Name) columns(p *Page, m *markup, id string, s span) {
	cols, by := columnsOf(n.drawn, s, mostColumns)
	runs, skips, failing := 0, 0, 0
	for i := range cols {
		if cols[i].n[bad] > 0 {
			failing++
		}
		runs, skips = max(runs, cols[i].runs()), max(skips, cols[i].n[skip])
	}
	runTicks, skipTicks := countTicks(max(runs, 1)), countTicks(max(skips, 1))
	mostRuns, mostSkips := runTicks[len(runTicks)-1], skipTicks[len(skipTicks)-1]
	crosses := failing <= len(cols)/3 // where there are few, they are to be found
	strip := 0.0
	if skips > 0 {
		strip = 48
	}
	f := figure{
		id: id, caption: "Runs and skips", span: s, height: strip + columnsHeight + 8,
		title: "Runs and skips of " + n.Name + ", summed up",
	}
	height := func(n, of int, room float64) float64 {
		if n == 0 {
			return 0
		}
		return max(float64(n)/float64(of)*room, 2)
	}
	for _, t := range runTicks {
		y := f.height - float64(t)/float64(mostRuns)*columnsHeight
		f.rules = append(f.rules, y)
		text := strconv.Itoa(t)
		if t == mostRuns {
			text += " runs"
		}
		f.left = append(f.left, label{y, text, ""})
	}
	if skips > 0 {
		f.rules = append(f.rules, strip-10)
		f.left = append(f.left, label{8, strconv.Itoa(mostSkips) + " skips", ""}, label{strip - 10, "0", ""})
	}
	f.draw = func(m *markup) {
		for i := range cols {
			drawColumn(m, s, &cols[i], f.height, strip-10, crosses, func(n int) float64 { return height(n, mostRuns, columnsHeight) },
				func(n int) float64 { return height(n, mostSkips, 30) })
		}
	}
	f.desc, f.legend = legendOf(n.withHolders(p), s, p)
	f.legend = slices.DeleteFunc(f.legend, func(l legend) bool { return l.sign == "now" })
	for i := range f.legend {
		if l := &f.legend[i]; l.sign == "m-skip" {
			*l = legend{"skips", "skipped: they would have overlapped"}
		} else if l.sign == "m-bad" {
			*l = legend{"cross", "failed"}
			if crosses {
				*l = legend{"m-bad", "failed, at least one"}
			}
		}
	}
	f.note = fmt.Sprintf("Each column is a %s: %s are summed up here.", by, things(uint64(len(n.drawn)), "record"))
	if by.n > 1 && by != (step{days, 7}) {
		f.note = fmt.Sprintf("Each column is %s: %s are summed up here.", by, things(uint64(len(n.drawn)), "record"))
	}
	f.write(m)
}

func drawColumn(m *markup, s span, c *column, bottom, skipBottom float64, crosses bool, runs, skips func(int) float64) {
	if c.runs()+c.n[skip] == 0 {
		return
	}
	from, to := s.fraction(c.from), s.fraction(c.to)
	x, width := part(from+(to-from)*0.1), part((to-from)*0.8)
	m.open("g")
	m.el("title", fmt.Sprintf("%s: %d ok, %d failed, %d other, %d skipped", c.from.Format("2006-01-02 15:04"), c.n[good], c.n[bad], c.n[other], c.n[skip]))
	y := bottom
	for _, part := range []struct {
		class string
		n     int
	}{{"cross", c.n[bad]}, {"other", c.n[other]}, {"ok", c.n[good]}} {
		if h := runs(part.n); h > 0 {
			y -= h
			m.leaf("rect", "class", part.class+" flat", "x", x, "y", px(y), "width", width, "height", px(h))
		}
	}
	if crosses && c.n[bad] > 0 {
		m.leaf("use", "href", "#m-bad", "x", part((from+to)/2), "y", px(max(y-7, 4)))
	}
	if h := skips(c.n[skip]); h > 0 {
		m.leaf("rect", "class", "skips flat", "x", x, "y", px(skipBottom-h), "width", width, "height", px(h))
	}
	m.end()
}
