package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/usual"
)

const day = 24 * time.Hour

// lasting is a duration as people say it: 340ms, 4.2s, 28m04s, 1h12m, 3d4h.
func lasting(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return usual.Words(d)
	case d < 100*day:
		return display.Lasting(d)
	}
	return count(uint64(d/day)) + "d"
}

// roughly is a duration in its largest unit.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= u.unit {
			return count(uint64(d/u.unit)) + u.name
		}
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// round is a duration that is a round number of its unit: 0, 500ms, 5m, 2h, 1d.
func round(d time.Duration) string {
	if d > time.Hour && d%time.Hour != 0 {
		return lasting(d)
	}
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.unit && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	switch {
	case d == 0:
		return "0"
	case d >= time.Second:
		return lasting(d)
	}
	return strconv.FormatInt(int64(d/time.Millisecond), 10) + "ms"
}

// usually is a duration of the usual, which there may be none of.
func usually(d time.Duration, known bool) string {
	if !known {
		return "–"
	}
	return lasting(d)
}

// count is a number with a comma at each thousand.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// things is a number of things.
func things(n uint64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// percent is part of whole. Neither 0 % nor 100 % are rounded to.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	tenths := part * 1000 / whole
	switch {
	case part == whole:
		return "100%"
	case part > 0 && tenths == 0:
		return "<0.1%"
	case tenths >= 990:
		return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
	}
	return strconv.FormatUint((part*200+whole)/(2*whole), 10) + "%"
}

// stamp is a moment for a table.
func (p *Page) stamp(t time.Time) string {
	return t.In(p.Now.Location()).Format("2006-01-02 15:04:05")
}

// moment writes a time for people and for programs.
func (p *Page) moment(m *markup, t time.Time) {
	if t.IsZero() {
		m.text("–")
		return
	}
	t = t.In(p.Now.Location())
	m.el("time", t.Format("2006-01-02 15:04:05"), "datetime", t.Format(time.RFC3339))
}

// zone is which time it is that is shown.
func (p *Page) zone() string {
	z := zoneOf(p.Now)
	if first := p.first(); !first.IsZero() {
		if was := zoneOf(first.In(p.Now.Location())); was != z {
			z += ", or " + was + " where that was in force"
		}
	}
	return z
}

func zoneOf(t time.Time) string {
	name, seconds := t.Zone()
	offset := "UTC" + t.Format("-07:00")
	if seconds == 0 {
		offset = "UTC"
	}
	if name == offset || name == "" || strings.ContainsAny(name[:1], "+-") {
		return offset
	}
	return name + " (" + offset + ")"
}
