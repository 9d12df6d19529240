package top

import (
	"strings"
	"time"

	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
)

// marks are the characters of the screen that are not letters.
type marks struct {
	full, empty, usual, over string
	parts                    []string // of a cell, from the least on
	ok, failed               string
	rule, pointer, dot       string
}

func marksOf(ascii bool) marks {
	if ascii {
		return marks{full: "#", empty: ".", usual: "|", over: "!", ok: ".", failed: "F", rule: "-", pointer: ">", dot: "*"}
	}
	return marks{full: "━", empty: "·", usual: "╎", over: "!", parts: []string{"╸"},
		ok: "✓", failed: "✗", rule: "─", pointer: "▸", dot: "·"}
}

// bar draws how long a run has lasted against what is usual. It is full at p95, and p50 is marked as
// long as it is ahead. Beyond p95 an exclamation mark stands at its end, and beyond twice that two.
func (k marks) bar(width int, elapsed, p50, p95 time.Duration) string {
	if elapsed > p95 {
		over := 1
		if elapsed > 2*p95 {
			over = 2
		}
		over = min(over, width)
		return strings.Repeat(k.full, width-over) + strings.Repeat(k.over, over)
	}
	steps := len(k.parts) + 1
	filled := int(float64(width*steps) * float64(elapsed) / float64(p95))
	usual := min(int(float64(width)*float64(p50)/float64(p95)), width-1)
	var b strings.Builder
	for i := range width {
		switch part := filled - i*steps; {
		case part >= steps:
			b.WriteString(k.full)
		case part > 0:
			b.WriteString(k.parts[part-1])
		case i == usual:
			b.WriteString(k.usual)
		default:
			b.WriteString(k.empty)
		}
	}
	return b.String()
}

func (p pace) role() display.Role {
	switch p {
	case long:
		return display.Warn
	case veryLong:
		return display.Bad
	}
	return display.Good
}

// outcome is a character for how a run ended.
func (k marks) outcome(o history.Outcome) string {
	switch o {
	case history.OK:
		return k.ok
	case history.Failed:
		return k.failed
	case history.Signaled:
		return "K"
	case history.TimedOut:
		return "T"
	case history.Replaced:
		return "R"
	case history.Lost:
		return "L"
	case history.Crashed:
		return "C"
	case history.Ended:
		return "e"
	}
	return "?"
}

// outcomeRole is how such a character is shown.
func (k marks) outcomeRole(r rune) display.Role {
	for _, o := range history.Outcomes() {
		if k.outcome(o) == string(r) {
			return outcomeRole(o)
		}
	}
	return display.Plain
}

// outcomes are the last ones, the newest last.
func (k marks) outcomes(last []history.Outcome, most int) string {
	var b strings.Builder
	for _, o := range last[max(0, len(last)-most):] {
		b.WriteString(k.outcome(o))
	}
	return b.String()
}

// outcomeRole is how an outcome is shown.
func outcomeRole(o history.Outcome) display.Role {
	switch o {
	case history.OK:
		return display.Good
	case history.Failed, history.Signaled, history.TimedOut, history.Crashed, history.Lost:
		return display.Bad
	case history.Skipped:
		return display.Warn
	}
	return display.Plain
}
