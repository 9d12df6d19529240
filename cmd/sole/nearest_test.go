package main

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	there := []string{"run", "ls", "status", "stop", "signal", "--wait", "--queue", "--quiet", "--max-time"}
	for word, want := range map[string]string{
		"rnu": "run", "runn": "run", "r": "", "l": "ls", "sl": "ls", "stauts": "status", "stpo": "stop",
		"--wiat": "--wait", "--max_time": "--max-time", "--maxtime": "--max-time", "--quite": "--quiet",
		"": "", "backup": "", "--": "", strings.Repeat("x", 100000): "",
	} {
		if got := nearest(word, there); got != want {
			t.Errorf("%.20q: %q, want %q", word, got, want)
		}
	}
}
