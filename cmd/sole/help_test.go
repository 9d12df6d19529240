package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// The overview fits a terminal, and the summaries stand below each other.
func TestOverviewIsAligned(t *testing.T) {
	var b bytes.Buffer
	if err := usage(&b); err != nil {
		t.Fatal(err)
	}
	column := 0
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) > helpWidth {
			t.Errorf("%q is too long", line)
		}
		for _, c := range commands() {
			first := strings.Fields(c.summary)[0] + " " + strings.Fields(c.summary)[1]
			i := strings.Index(line, first)
			if i < 0 || !strings.HasPrefix(line, "  "+c.name+" ") && strings.TrimSpace(line[:i]) != "" {
				continue
			}
			at := utf8.RuneCountInString(line[:i])
			if column == 0 {
				column = at
			}
			if at != column {
				t.Errorf("%q: the summary begins at %d, not at %d", line, at, column)
			}
		}
	}
	if column == 0 {
		t.Error("no summary is found")
	}
}
