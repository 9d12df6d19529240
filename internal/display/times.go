package display

import (
	"fmt"
	"time"

	"github.com/sole-run/sole/internal/usual"
)

// Lasting is a duration in its two largest units: 1h12m, 3d4h, 5s.
func Lasting(d time.Duration) string {
	d = d.Truncate(time.Second)
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
}

// About is a duration that is not exact, such as a usual one, in as few letters as say it: 28m, 1h5m, 2d, 300ms.
func About(d time.Duration) string { return usual.Words(d) }

// Clock is the local time, with the date unless it is today's.
func Clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}
