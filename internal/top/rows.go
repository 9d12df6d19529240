package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/recent"
)

// row is a line of the list: a holder, or a free name.
type row struct {
	sole.Status
	recent recent.Facts
}

// id tells a row from others, also of another look.
type id struct {
	name string
	run  uint64 // 0 for a free name
	slot int
	pid  int
}

func (r *row) id() id {
	if r.State != sole.Held {
		return id{name: r.Name}
	}
	return id{r.Name, r.Run, r.Slot, r.PID}
}

func (r *row) held() bool { return r.State == sole.Held }

func (r *row) elapsed() time.Duration { return time.Duration(r.Seconds * float64(time.Second)) }

// pace is how a run goes, against what is usual.
type pace int

const (
	unknownPace pace = iota
	inTime
	long     // longer than 95 in 100 runs
	veryLong // twice that
)

func (r *row) pace() pace {
	e, p95 := r.elapsed(), r.recent.P95
	switch {
	case !r.held() || p95 == 0 || r.StartedAt.IsZero():
		return unknownPace
	case e > 2*p95:
		return veryLong
	case e > p95:
		return long
	}
	return inTime
}

// order is how the rows are sorted. Held ones are always before free ones.
type order int

const (
	byName order = iota
	byTime
	byPace
	bySkips
	byWaiters
	orders
)

func (o order) String() string {
	return [...]string{"name", "time", "time against the usual", "skips", "waiters"}[o]
}

// compare is what comes first, for free names too: by time those are first that ended last.
func (o order) compare(a, b *row) int {
	if c := cmp.Compare(b2i(b.held()), b2i(a.held())); c != 0 {
		return c
	}
	c := 0
	switch o {
	case byTime:
		c = cmp.Compare(b.Seconds, a.Seconds)
		if !a.held() {
			c = b.recent.Ended.Compare(a.recent.Ended)
		}
	case byPace:
		c = cmp.Compare(ratio(b), ratio(a))
	case bySkips:
		c = cmp.Compare(b.Skips, a.Skips)
	case byWaiters:
		c = cmp.Compare(b.Waiters, a.Waiters)
	}
	return cmp.Or(c, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Run, b.Run))
}

func ratio(r *row) float64 {
	if r.recent.P95 == 0 || !r.held() {
		return 0
	}
	return float64(r.elapsed()) / float64(r.recent.P95)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// arrange makes the rows of the snapshot. What was selected stays so.
func (m *Model) arrange() {
	was := id{}
	if r := m.current(); r != nil {
		was = r.id()
	}
	m.rows = m.rows[:0]
	for _, n := range m.snap.Names {
		if n.State != sole.Held {
			if m.free {
				m.add(row{n.Status, n.Recent})
			}
			continue
		}
		for _, h := range n.Holders() {
			m.add(row{h, n.Recent})
		}
	}
	slices.SortFunc(m.rows, func(a, b row) int { return m.order.compare(&a, &b) })
	m.choose(was)
}

// add adds a row unless the filter is against it.
func (m *Model) add(r row) {
	if m.filter != "" {
		text := strings.ToLower(r.Name + "\n" + r.User + "\n" + display.Words(r.Command, 0))
		if !strings.Contains(text, strings.ToLower(m.filter)) {
			return
		}
	}
	m.rows = append(m.rows, r)
}

// choose selects the row that is the one of before, else one of its name, else the one in its place.
func (m *Model) choose(was id) {
	at := slices.IndexFunc(m.rows, func(r row) bool { return r.id() == was })
	if at < 0 {
		at = slices.IndexFunc(m.rows, func(r row) bool { return r.Name == was.name })
	}
	if at >= 0 {
		m.selected = at
	}
	m.selected = max(0, min(m.selected, len(m.rows)-1))
}

// current is the selected row, nil if there is none.
func (m *Model) current() *row {
	if m.selected >= len(m.rows) {
		return nil
	}
	return &m.rows[m.selected]
}
