package top

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
)

// ran writes runs of a name into its history, all of which took as long.
func (n *names) ran(name string, took time.Duration, outcomes ...history.Outcome) {
	n.Helper()
	dir, err := lockdir.Open(n.dir, lockdir.Use)
	must(n, err)
	for i, o := range outcomes {
		now := time.Now()
		e := history.Entry{Name: name, Run: uint64(100 + i), Started: now.Add(-took), Ended: now, Lasted: took, Outcome: o,
			User: "root", Host: "h", Command: []string{"job"}}
		must(n, history.Append(dir, &e, history.Limit))
	}
}

// free makes a name that ran before.
func (n *names) free(name string) {
	n.Helper()
	c := exec.Command(binary, "run", name, "--", "true")
	c.Env = append(os.Environ(), n.env()...)
	must(n, c.Run())
}

func sample(t *testing.T) *names {
	n := newNames(t)
	n.free("fetch")
	n.ran("fetch", 3*time.Second, history.OK, history.OK, history.Failed)
	n.ran("backup", time.Millisecond, history.OK, history.OK, history.OK)
	n.ran("mirror", time.Hour, history.OK, history.OK, history.OK, history.Crashed, history.TimedOut)
	n.hold("backup", lives...)
	n.hold("mirror", lives...)
	return n
}

func TestScreen(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {40, 10}, {300, 50}, {20, 5}} {
		n := sample(t)
		s := n.top(size[0], size[1], nil)
		for _, text := range []string{"backup", "mirror", "q quit"} {
			s.sees(text)
		}
		if size[0] >= 40 {
			s.sees("!!")
		}
		if size[0] >= 80 {
			for _, text := range []string{"2 held", "1 past p95", "1 free", "fetch", "✓✓✓CT", "✓✓✗", "failed", "USUAL", "echo up"} {
				s.sees(text)
			}
		}
		s.asked.Lock()
		asked := s.asks.String()
		s.asked.Unlock()
		if asked != "" {
			t.Errorf("the terminal was asked something, and answered %q", asked)
		}
		s.typed("q")
		if ws := s.leaves(); ws.ExitStatus() != 0 {
			t.Errorf("exit %d", ws.ExitStatus())
		}
		s.clean()
	}
}

func TestScreenWithoutColoursAndInASCII(t *testing.T) {
	t.Parallel()
	colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?[34][0-9]m`)
	n := sample(t)
	s := n.top(80, 24, nil)
	s.sees("failed")
	if !colour.MatchString(s.output()) {
		t.Error("there are no colours")
	}
	s = n.top(80, 24, []string{"NO_COLOR=1", "LC_ALL=C"})
	s.sees("...CT")
	s.sees("> backup")
	out := s.output()
	if c := colour.FindString(out); c != "" {
		t.Errorf("there is a colour: %q", c)
	}
	for i := range len(out) {
		if out[i] >= 0x80 {
			t.Fatalf("it is not ASCII: %q", out[max(0, i-20):i+1])
		}
	}
	// An empty variable is as none.
	s = n.top(80, 24, []string{"NO_COLOR="})
	s.sees("failed")
	if !colour.MatchString(s.output()) {
		t.Error("NO_COLOR= took the colours")
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	s := sample(t).top(80, 24, nil)
	s.sees("COMMAND")
	s.mu.Lock()
	s.emu.Resize(40, 10)
	s.mu.Unlock()
	must(t, pty.Setsize(s.tty, &pty.Winsize{Cols: 40, Rows: 10}))
	until(t, "it is narrow", func() bool { return !strings.Contains(s.screen(), "COMMAND") && strings.Contains(s.screen(), "backup") })
	s.typed("q")
	s.leaves()
	s.clean()
}

// Answers that another program asked for, and odd bytes, are nobody's keys.
func TestLateAnswersAreDropped(t *testing.T) {
	t.Parallel()
	s := sample(t).top(80, 24, nil)
	s.sees("q quit")
	s.typed("\x1b[?2026;2$y\x1b]11;rgb:1818/q000/sy\x1b\\\x1bP1$r0q\x1b\\\x1b[?1;2c\x00\xff\xfe\x1b[200~q\x1b[201~\x1b_Gi=31;q\x1b\\")
	s.typed("?")
	s.sees("The bar")
	s.typed("\x1b")
	s.sees("COMMAND")
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := sample(t).top(100, 30, nil)
	s.sees("backup")
	s.typed("\r")
	s.sees("supervised by")
	s.typed("l")
	s.sees("backup: log")
	s.sees("OUTCOME")
	s.typed("q/fet")
	s.sees("filter: fet_")
	until(t, "only fetch is left", func() bool { return strings.Contains(s.screen(), "fetch") && !strings.Contains(s.screen(), "mirror") })
	s.typed("\r")
	s.sees("only fet")
	s.typed("\x1b")
	s.sees("mirror")
	s.typed("a")
	until(t, "free names are hidden", func() bool { return !strings.Contains(s.screen(), "fetch") })
	s.typed("o")
	s.sees("by time")
}

func TestOnce(t *testing.T) {
	t.Parallel()
	n := sample(t)
	run := func(env string, args ...string) (string, int) {
		c := exec.Command(binary, append([]string{"top"}, args...)...)
		c.Env = append(os.Environ(), n.env("LC_ALL=C.UTF-8", env)...)
		out, _ := c.CombinedOutput()
		return string(out), c.ProcessState.ExitCode()
	}
	for _, args := range [][]string{{"--once"}, nil} {
		out, code := run("TERM=", args...)
		if code != 0 || !strings.Contains(out, "backup") || strings.Contains(out, "\x1b") || strings.Contains(out, "▸") {
			t.Errorf("exit %d: %s", code, out)
		}
	}
	for _, args := range [][]string{{"x"}, {"--every", "0"}, {"--every", "1ms"}, {"--every", "-1s"}, {"--every", ""}, {"--dir", ""}, {"--nonsense"}} {
		if out, code := run("TERM=xterm", args...); code != 64 || !strings.HasPrefix(out, "sole: ") {
			t.Errorf("%q: exit %d: %s", args, code, out)
		}
	}
	if out, code := run("TERM=xterm", "--dir", n.dir+"/missing"); code != 0 || !strings.Contains(out, "no name is held") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestTerminalsThatCannot(t *testing.T) {
	t.Parallel()
	n := sample(t)
	for _, term := range []string{"TERM=dumb", "TERM="} {
		s := n.top(80, 24, []string{term})
		s.sees("hint: see 'sole top --once'")
		if ws := s.leaves(); ws.ExitStatus() != 64 {
			t.Errorf("%s: exit %d", term, ws.ExitStatus())
		}
		s.clean1()
	}
	// No keys.
	s := sit(t, 80, 24, n.env(), "sh", "-c", `"$0" top </dev/null`, binary)
	s.sees("standard input is not a terminal")
	if ws := s.leaves(); ws.ExitStatus() != 64 {
		t.Errorf("exit %d", ws.ExitStatus())
	}
}

// clean1 is clean for a program that never had the screen.
func (s *seat) clean1() {
	if out := s.output(); strings.Contains(out, "\x1b") {
		s.Errorf("it wrote %q", out)
	}
}

// Without the program that has the screen there is an error that says what to do.
func TestProgramIsMissing(t *testing.T) {
	t.Parallel()
	alone := filepath.Join(t.TempDir(), "sole")
	b, err := os.ReadFile(binary)
	must(t, err)
	must(t, os.WriteFile(alone, b, 0o755))
	c := exec.Command(alone, "top", "--once")
	c.Env = append(os.Environ(), "PATH=/nowhere")
	out, _ := c.CombinedOutput()
	if code := c.ProcessState.ExitCode(); code != 127 || !strings.Contains(string(out), "sole-top is missing\nsole: hint: ") {
		t.Errorf("exit %d: %s", code, out)
	}
	// It is also found where packages put it.
	lib := filepath.Join(filepath.Dir(filepath.Dir(alone)), "libexec", "sole")
	must(t, os.MkdirAll(lib, 0o755))
	must(t, os.Symlink(filepath.Join(filepath.Dir(binary), "sole-top"), filepath.Join(lib, "sole-top")))
	c = exec.Command(alone, "top", "--once")
	c.Env = append(os.Environ(), "PATH=/nowhere", "SOLE_DIR="+t.TempDir())
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
