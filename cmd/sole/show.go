package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/usual"
)

// printable makes text safe for a terminal and for one line: what is not printable
// is shown as a Go escape.
func printable(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else if clean(r) {
			b.WriteRune(r)
		} else {
			q := fmt.Sprintf("%q", string(r))
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// shorten keeps somebody's input from filling the screen.
func shorten(s string) string {
	if len(s) > 140 {
		return s[:140] + "…"
	}
	return s
}

// words is a command as a shell would take it, at most about width characters
// unless width is 0.
func words(argv []string, width int) string {
	quoted := make([]string, len(argv))
	for i, w := range argv {
		quoted[i] = printable(quote(w))
	}
	return clip(strings.Join(quoted, " "), width)
}

func quote(w string) string {
	if w != "" && strings.IndexFunc(w, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=,@%+…", r))
	}) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

func clip(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}

// lasting is a duration in its two largest units: 1h12m, 3d4h, 5s.
func lasting(d time.Duration) string {
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

// clockTime is the local time, with the date unless it is today's.
func clockTime(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
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
