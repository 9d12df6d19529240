package top

import (
	"iter"
	"strings"

	"github.com/sole-run/sole/internal/display"
)

func (m *Model) helpLines() []string {
	k := marksOf(m.o.ASCII)
	f := &facts{m: m}
	part := func(title string) { f.lines = append(f.lines, "", m.title(title)) }
	f.lines = append(f.lines, m.title("Keys"))
	for _, line := range [][2]string{
		{"up, down", "choose; also j and k, page up and down, home and end"},
		{"enter", "all that is known of the name"},
		{"l", "its log: the last runs and skips"},
		{"s", "stop: end the run, after a question"},
		{"x, K", "send a signal, from a menu"},
		{"r", "reload: send SIGHUP, after a question"},
		{"/", "show only names, users and commands that have a text in them"},
		{"a", "show or hide the free names"},
		{"o", "sort by the next of name, time, time against the usual, skips, waiters"},
		{"esc, q", "back; q ends the program"},
		{"ctrl-z", "suspend"},
	} {
		f.add(line[0], line[1], display.Plain)
	}
	part("The bar")
	f.add(k.bar(barWidth, 30, 50, 100), "is full when 95 in 100 runs would have ended (p95); "+k.usual+" is the median", display.Plain)
	f.add(k.bar(barWidth, 150, 50, 100), "longer than that", display.Plain)
	f.add(k.bar(barWidth, 300, 50, 100), "more than twice as long", display.Plain)
	part("The last runs, the newest last")
	f.add(k.ok+" "+k.failed, "succeeded, failed", display.Plain)
	f.add("K T R", "killed by a signal, ended by --max-time, replaced", display.Plain)
	f.add("L C e", "the name was lost, the supervisor died, a program that held the name left without a word", display.Plain)
	return f.lines
}

// lines are those of a text, without newlines. An empty text has none.
func lines(s string) iter.Seq[string] {
	if s == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(s, "\n")
}
