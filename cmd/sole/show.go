package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/usual"
)

// What package display does is said shortly here.

func printable(s string) string                  { return display.Printable(s) }
func words(argv []string, width int) string      { return display.Words(argv, width) }
func quote(w string) string                      { return display.Quote(w) }
func clip(s string, width int) string            { return display.Clip(s, width) }
func fold(text string, width, indent int) string { return display.Fold(text, width, indent) }
func lasting(d time.Duration) string             { return display.Lasting(d) }
func clockTime(t, now time.Time) string          { return display.Clock(t, now) }

// shorten keeps somebody's input from filling the screen.
func shorten(s string) string {
	if len(s) > 140 {
		return s[:140] + "…"
	}
	return s
}

// limit is a duration that was asked for.
func limit(d time.Duration) string {
	if d < time.Second {
		return d.String()
	}
	return lasting(d)
}

// usually is how long the runs of the name usually take, "" if that is not known.
func usually(st sole.Status) string {
	if st.UsualSeconds == 0 {
		return ""
	}
	return "; usually " + usual.Words(time.Duration(st.UsualSeconds*float64(time.Second)))
}

func elapsed(st sole.Status) time.Duration {
	return time.Duration(st.Seconds * float64(time.Second))
}

// who says who holds a name, for the end of a sentence: `pid 812 (rsync -a /data …),
// user root, since 02:00:01 (1h12m)`.
func who(st sole.Status) string {
	var b strings.Builder
	switch {
	case st.PID != 0:
		fmt.Fprintf(&b, "pid %d", st.PID)
	case st.ChildPID != 0:
		fmt.Fprintf(&b, "pid %d", st.ChildPID)
	default:
		b.WriteString("a process that cannot be seen from here")
	}
	if len(st.Command) > 0 {
		fmt.Fprintf(&b, " (%s)", words(st.Command, 60))
	}
	if st.Elsewhere {
		b.WriteString(" in another pid namespace or on another host")
	}
	if st.User != "" {
		fmt.Fprintf(&b, ", user %s", st.User)
	}
	if !st.StartedAt.IsZero() {
		fmt.Fprintf(&b, ", since %s (%s%s)", clockTime(st.StartedAt, time.Now()), lasting(elapsed(st)), usually(st))
	}
	if st.Orphaned && st.ChildPID != 0 {
		b.WriteString(", orphaned: its supervisor was killed")
	}
	return b.String()
}
