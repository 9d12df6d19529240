package report

import (
	"strconv"
	"time"
)

// step is a distance of ticks that people count in.
type step struct {
	unit unit
	n    int
}

type unit uint8

const (
	seconds unit = iota
	days
	months
	years
)

// about is how long a step takes, more or less.
func (s step) about() time.Duration {
	each := [...]time.Duration{seconds: time.Second, days: day, months: 730 * time.Hour, years: 8766 * time.Hour}
	return each[s.unit] * time.Duration(s.n)
}

// stepFor is the smallest step of which there are at most so many in a span.
func stepFor(span time.Duration, most int) step {
	for _, n := range [...]int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200} {
		if s := (step{seconds, n}); span <= s.about()*time.Duration(most) {
			return s
		}
	}
	for _, s := range [...]step{{days, 1}, {days, 2}, {days, 7}, {months, 1}, {months, 2}, {months, 3}, {months, 6}, {years, 1}, {years, 2}, {years, 5}, {years, 10}, {years, 20}} {
		if span <= s.about()*time.Duration(most) {
			return s
		}
	}
	return step{years, 100}
}

// edges are the moments, a step from each other, from the last one before from to the first one after
// to. They are round in local time, whatever summer time does.
func (s step) edges(from, to time.Time) []time.Time {
	at := s.begin(from)
	var all []time.Time
	for i := 0; ; i++ {
		t := at(i)
		if len(all) > 0 && !t.After(all[len(all)-1]) {
			if i > 1<<12 {
				return all
			}
			continue // an hour that is there twice, or not at all
		}
		if all = append(all, t); t.After(to) {
			return all
		}
	}
}

// begin returns the moments from the last round one before from on.
func (s step) begin(from time.Time) func(i int) time.Time {
	y, m, d := from.Date()
	date := func(y, m, d, sec int) time.Time {
		return time.Date(y, time.Month(m), d, 0, 0, sec, 0, from.Location())
	}
	switch s.unit {
	case seconds:
		hour, minute, second := from.Clock()
		first := (hour*3600 + minute*60 + second) / s.n
		return func(i int) time.Time { return date(y, int(m), d, (first+i)*s.n) }
	case days:
		if s.n == 7 {
			d -= (int(from.Weekday()) + 6) % 7 // weeks begin on Monday
		} else {
			d -= from.YearDay() % s.n
		}
		return func(i int) time.Time { return date(y, int(m), d+i*s.n, 0) }
	case months:
		first := (int(m) - 1) / s.n * s.n
		return func(i int) time.Time { return date(y, first+1+i*s.n, 1, 0) }
	}
	return func(i int) time.Time { return date(y/s.n*s.n+i*s.n, 1, 1, 0) }
}

// String is the step in words: "2 hours".
func (s step) String() string {
	words := [...]string{seconds: "second", days: "day", months: "month", years: "year"}
	switch {
	case s == step{days, 7}:
		return "week"
	case s.unit == seconds && s.n >= 3600:
		return each(s.n/3600, "hour")
	case s.unit == seconds && s.n >= 60:
		return each(s.n/60, "minute")
	}
	return each(s.n, words[s.unit])
}

// each is a number of things, without the number if it is one.
func each(n int, thing string) string {
	if n == 1 {
		return thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// labels are what stands at a tick: what tells it from the one before, and below that the rest if
// that has changed since.
func (s step) labels(t, before time.Time) (label, below string) {
	first := before.IsZero()
	switch s.unit {
	case seconds:
		form := "15:04"
		if s.n < 60 {
			form = "15:04:05"
		}
		if first || t.YearDay() != before.YearDay() || t.Year() != before.Year() {
			below = t.Format("Jan 2")
		}
		return t.Format(form), below
	case days, months:
		form := "Jan 2"
		if s.unit == months {
			form = "Jan"
		}
		if first || t.Year() != before.Year() {
			below = t.Format("2006")
		}
		return t.Format(form), below
	}
	return t.Format("2006"), ""
}

// roundDurations are those that people count in.
var roundDurations = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 5 * day, 10 * day, 20 * day, 50 * day, 100 * day, 200 * day, 500 * day, 1000 * day, 2000 * day,
}

// durationTicks are from 0 to the first one that is not below the longest, at most six.
func durationTicks(longest time.Duration) []time.Duration {
	by := roundDurations[len(roundDurations)-1]
	for _, d := range roundDurations {
		if longest <= 5*d {
			by = d
			break
		}
	}
	ticks := []time.Duration{0}
	for d := by; ; d += by {
		if ticks = append(ticks, d); d >= longest || len(ticks) > 5 {
			return ticks
		}
	}
}

// decades are the ticks of a logarithmic scale.
var decades = [...]time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute,
	10 * time.Minute, time.Hour, 6 * time.Hour, day, 10 * day, 100 * day, 1000 * day, 10000 * day,
}

// logTicks reach from shortest to longest.
func logTicks(shortest, longest time.Duration) []time.Duration {
	first, last := 0, len(decades)-1
	for first+1 < len(decades)-1 && decades[first+1] <= shortest {
		first++
	}
	for last-1 > first && decades[last-1] >= longest {
		last--
	}
	return decades[first : last+1]
}

// countTicks are 0, perhaps a half, and a round number that is not below most.
func countTicks(most int) []int {
	for by := 1; ; by *= 10 {
		for _, n := range [...]int{1, 2, 4, 6, 8} {
			if n*by >= most {
				if n*by%2 == 0 {
					return []int{0, n * by / 2, n * by}
				}
				return []int{0, n * by}
			}
		}
	}
}
