package top

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/display"
)

// at is what a listing writes to a terminal of that width.
func (n *names) at(width int, env []string, args ...string) string {
	n.Helper()
	s := sit(n.T, width, 50, n.env(env...), binary, args...)
	s.leaves()
	// The end of the output comes after the end of the program.
	const mark = "<end>"
	if _, err := s.slave.WriteString(mark); err != nil {
		n.Fatal(err)
	}
	until(n.T, "all was written", func() bool { return strings.Contains(s.output(), mark) })
	return strings.TrimSuffix(s.output(), mark)
}

func TestListingsOnATerminal(t *testing.T) {
	t.Parallel()
	n := sample(t)
	n.hold("wide", "sh", "-c", "echo up; exec cat # 日本語e\u0301🚀 and more than fits on a line")
	for _, args := range [][]string{{"ls"}, {"ls", "--all"}, {"doctor"}} {
		for _, width := range []int{20, 40, 60, 80, 120} {
			for line := range strings.Lines(n.at(width, []string{"NO_COLOR=1"}, args...)) {
				line = strings.TrimRight(line, "\r\n")
				if strings.Contains(line, "\x1b") {
					t.Errorf("%q with NO_COLOR: %q", args, line)
				}
				// Of the doctor only words that are longer than the line.
				if w := display.Width(line); w > width && (args[0] == "ls" || strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "/")) {
					t.Errorf("%q in %d columns: %d: %q", args, width, w, line)
				}
			}
		}
	}
	for _, args := range [][]string{{"ls"}, {"ls", "--all"}, {"status", "backup"}, {"doctor"}} {
		if out := n.at(80, nil, args...); !strings.Contains(out, "\x1b[32m") {
			t.Errorf("%q has no colours: %q", args, out)
		}
		for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
			if out := n.at(80, []string{env}, args...); strings.Contains(out, "\x1b") {
				t.Errorf("%q with %s: %q", args, env, out)
			}
		}
		c := exec.Command(binary, args...)
		c.Env = append(os.Environ(), n.env("TERM=xterm")...)
		if out, _ := c.Output(); strings.Contains(string(out), "\x1b") || len(out) == 0 {
			t.Errorf("%q into a pipe: %q", args, out)
		}
	}
	narrow := n.at(40, []string{"NO_COLOR=1"}, "ls")
	if !strings.Contains(narrow, "STATE") || !strings.Contains(narrow, "FOR") || strings.Contains(narrow, "SKIPS") {
		t.Errorf("what is needed most is not there:\n%s", narrow)
	}
}
