//go:build linux

package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Another language takes part by what docs/protocol.md says.

const pythonHold = `
import os, sys
from solelock import Sole
with Sole(sys.argv[1]) as lock:
    print("up", os.getpid(), flush=True)
    sys.stdin.read()
`

// python runs a program beside examples/python.
func (b *box) python(program string, args ...string) *exec.Cmd {
	b.Helper()
	interpreter := need(b.T, "python3", "python3")
	examples, err := filepath.Abs("../../examples/python")
	must(b, err)
	c := b.command(interpreter, append([]string{"-c", program}, args...)...)
	c.Env = append(c.Env, "PYTHONPATH="+examples, "PYTHONDONTWRITEBYTECODE=1")
	return c
}

func TestPythonContextManagerIsSmall(t *testing.T) {
	b, err := os.ReadFile("../../examples/python/solelock.py")
	must(t, err)
	if n := strings.Count(string(b), "\n"); n >= 100 {
		t.Errorf("solelock.py has %d lines, and is to have less than 100", n)
	}
}

func TestPythonTakesPart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.start(b.python(pythonHold, "n"))
	b.skips("n")
	st := b.status("n")
	if st.State != "held" || st.PID != h.pid || st.Run != 1 || st.Skips != 1 || st.Elsewhere {
		t.Errorf("status: %+v", st)
	}
	if o := b.run("ls", "--json"); !strings.Contains(o.stdout, fmt.Sprintf(`"pid": %d`, h.pid)) {
		t.Errorf("ls: %v", o)
	}
	o := b.finish(b.python(pythonHold, "n"))
	if o.code != 1 || !strings.Contains(o.stderr, "solelock.Busy: ") {
		t.Errorf("a second one in Python: %v", o)
	}
	if n := b.status("n").Skips; n != 2 {
		t.Errorf("%d skips, want 2", n)
	}
	h.release()
	if st := b.status("n"); st.State != "free" || st.Run != 1 {
		t.Errorf("afterwards: %+v", st)
	}
	// The other way round, and numbers that grow on both sides.
	s := b.hold("n")
	if o := b.finish(b.python(pythonHold, "n")); o.code != 1 || !strings.Contains(o.stderr, "solelock.Busy: ") {
		t.Errorf("beside sole: %v", o)
	}
	if n := b.status("n"); n.Run != 2 || n.Skips != 1 {
		t.Errorf("beside Python: %+v", n)
	}
	s.release()
	for want := uint64(3); want < 40; want += 2 { // past a limit
		if o := b.finish(b.python(pythonHold, "n")); o.code != 0 {
			t.Fatal(o)
		}
		if got := b.status("n").Run; got != want {
			t.Fatalf("run %d, want %d", got, want)
		}
		b.takes("n")
	}
	b.expect(0, "clean")
	if o := b.finish(b.python(pythonHold, "n")); o.code != 0 {
		t.Fatal(o)
	}
	if got := b.status("n").Run; got <= 40 {
		t.Errorf("after clean: run %d", got)
	}
}

func TestPythonIsReachedAndFreed(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.start(b.python(pythonHold, "n"))
	b.expect(0, "stop", "n")
	if o := h.wait(); o.signal != syscall.SIGTERM {
		t.Errorf("stopped: %v", o)
	}
	h = b.start(b.python(pythonHold, "n"))
	must(t, h.Process.Kill())
	h.wait()
	b.takes("n")
	h = b.start(b.python(pythonHold, "n"))
	must(t, h.Process.Kill())
	h.wait()
	if o := b.finish(b.python(pythonHold, "n")); o.code != 0 {
		t.Errorf("after a killed one in Python: %v", o)
	}
}

func TestPythonRefusesWhatSoleRefuses(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	refused := func(what, want string) {
		t.Helper()
		o := b.finish(b.python(pythonHold, "n"))
		if o.code != 1 || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: %v", what, o)
		}
	}
	must(t, os.Chmod(b.lockFile("n"), 0o622))
	refused("writable by others", "PermissionError")
	must(t, os.Chmod(b.lockFile("n"), 0o600))
	must(t, os.Chmod(b.dir, 0o777))
	refused("in a directory that is", "PermissionError")
	must(t, os.Chmod(b.dir, 0o700))
	must(t, os.Link(b.lockFile("n"), b.file("other")))
	refused("a second link", "PermissionError")
	must(t, os.Remove(b.file("other")))

	// Others come first, and a deleted file is still somebody's.
	h := b.hold("n")
	w := b.launch(b.sole("run", "--wait", "n", "--", "true"))
	b.eventually("somebody waits", func() bool { return b.status("n").Waiters == 1 })
	refused("with a waiter", "solelock.Busy")
	must(t, h.Process.Signal(syscall.SIGSTOP)) // so that it does not put the file back
	must(t, os.Remove(b.lockFile("n")))
	refused("deleted while it is held", "solelock.Busy")
	must(t, h.Process.Signal(syscall.SIGCONT))
	h.release()
	<-w.done
}

// Starters of both kinds at once: one runs. The witness is a directory that only one can make.
func TestPythonBesideSole(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const witness = `mkdir "$0" || { echo overlap; exit 1; }; rmdir "$0"`
	program := `
import subprocess, sys
from solelock import Busy, Sole
try:
    with Sole("n"):
        sys.exit(subprocess.call(["sh", "-c", sys.argv[1], sys.argv[2]]))
except Busy:
    sys.exit(75)
`
	here := b.file("here")
	ran := 0
	for range 12 {
		var wg sync.WaitGroup
		outcomes := make(chan outcome, 12)
		for i := range cap(outcomes) {
			c := b.sole("run", "n", "--", "sh", "-c", witness, here)
			if i%2 == 0 {
				c = b.python(program, witness, here)
			}
			wg.Add(1)
			go func() { defer wg.Done(); outcomes <- b.finish(c) }()
		}
		wg.Wait()
		close(outcomes)
		for o := range outcomes {
			switch {
			case o.code == 0:
				ran++
			case o.code != 75 || strings.Contains(o.stdout, "overlap"):
				t.Fatalf("%v", o)
			}
		}
	}
	if ran < 12 {
		t.Errorf("%d of 12 rounds had a run", ran)
	}
}

// The post's own job, in the forms that do not need a #! line.
func TestPythonReport(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	interpreter := need(t, "python3", "python3")
	job, err := filepath.Abs("../../examples/python/report.py")
	must(t, err)
	b.env = append(b.env, "PYTHONDONTWRITEBYTECODE=1", "REPORT_SECONDS=0")
	if o := b.finish(b.command(interpreter, job)); o.code != 0 || !strings.HasPrefix(o.stdout, "report: pid ") {
		t.Errorf("alone: %v", o)
	}
	if o := b.run("run", "report", "--", interpreter, job, "--plain"); o.code != 0 {
		t.Errorf("under sole: %v", o)
	}
	h := b.hold("report")
	if o := b.finish(b.command(interpreter, job)); o.code != 75 || !strings.HasPrefix(o.stderr, "report: not started: ") {
		t.Errorf("beside another: %v", o)
	}
	h.release()
}

// The program in docs/protocol.md is what it says: complete.
func TestProtocolSketch(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	interpreter := need(t, "python3", "python3")
	page, err := os.ReadFile("../../docs/protocol.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(page), "```python\n")
	program, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/protocol.md has no program in Python")
	}
	sketch := b.file("sketch.py")
	must(t, os.WriteFile(sketch, []byte(program), 0o600))
	hold := func() *exec.Cmd { return b.command(interpreter, sketch, "n", "sh", "-c", holdScript) }

	h := b.start(hold())
	b.eventually("the command is written down", func() bool { return b.status("n").ChildPID != 0 })
	b.skips("n")
	if st := b.status("n"); st.PID != h.Process.Pid || st.ChildPID != h.pid || st.Run != 1 {
		t.Errorf("status: %+v", st)
	}
	if o := b.finish(hold()); o.code != 75 {
		t.Errorf("a second one: %v", o)
	}
	must(t, h.Process.Kill()) // its command goes on, and holds the name
	_ = h.Cmd.Wait()
	h.waited = true
	if st := b.status("n"); !st.Orphaned || st.ChildPID != h.pid {
		t.Errorf("after the kill: %+v", st)
	}
	b.expect(0, "stop", "n")
	s := b.hold("n")
	if o := b.finish(hold()); o.code != 75 {
		t.Errorf("beside sole: %v", o)
	}
	s.release()
	if o := b.finish(hold()); o.code != 0 || b.status("n").Run != 3 {
		t.Errorf("afterwards: %v, %+v", o, b.status("n"))
	}
	head, err := os.ReadFile(b.lockFile("n"))
	if err != nil || !strings.HasPrefix(string(head), "sole-lock 1\nlimit 17\nlasted ") {
		t.Errorf("the header is not as sole left it: %v, %.80q", err, head)
	}
}
