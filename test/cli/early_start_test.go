package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A key at the terminal goes to supervisor and command alike. Whenever it comes, also while
// the command is just being started, the supervisor stops, goes on and ends with it: it must
// not wait for an execve(2) that a stopped child does not come to.
func TestEarlyStopsWhileTheCommandStarts(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	for i := range 150 {
		c := b.sole("run", "n", "--", "sleep", "0.02")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		must(t, c.Start())
		for end := time.Now().Add(time.Duration(i) * 25 * time.Microsecond); time.Now().Before(end); {
		}
		must(t, ignoreGone(unix.Kill(-c.Process.Pid, unix.SIGTSTP)))
		var state byte
		stopped := func() bool { state = procState(c.Process.Pid); return state == 'T' || state == 'Z' }
		for end := time.Now().Add(patience / 4); !stopped() && time.Now().Before(end); {
		}
		must(t, ignoreGone(unix.Kill(-c.Process.Pid, unix.SIGCONT)))
		if state != 'T' && state != 'Z' {
			_ = unix.Kill(-c.Process.Pid, unix.SIGKILL)
			_ = c.Wait()
			t.Fatalf("turn %d: not stopped, in state %c", i, state)
		}
		if o := b.waitFor(c); o.code != 0 {
			t.Fatalf("turn %d: %v", i, o)
		}
	}
}

// waitFor waits for a command that was started.
func (b *box) waitFor(c *exec.Cmd) outcome {
	b.Helper()
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	_ = c.Wait()
	if !timer.Stop() {
		b.Errorf("%q did not end within %s", c.Args, patience)
	}
	return outcome{code: c.ProcessState.ExitCode(), signal: signalOf(c)}
}

// A signal that comes while it turns out that the command has no first line, and is to be
// run by the shell, is not lost.
func TestEarlySignalWhileTheCommandIsNone(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	script("tool", "exec sleep 60\n", 0o755)(b)
	for i := range 100 {
		c := b.sole("run", "n", "--", "./tool")
		must(t, c.Start())
		for end := time.Now().Add(time.Duration(i) * 30 * time.Microsecond); time.Now().Before(end); {
		}
		must(t, c.Process.Signal(syscall.SIGTERM))
		if o := b.waitFor(c); o.signal != syscall.SIGTERM {
			t.Fatalf("turn %d: %v", i, o)
		}
	}
}

// What the Go runtime would take without a word does not end the supervisor here either.
func TestEarlyOutlivesOddSignals(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("n")
	for _, sig := range []syscall.Signal{syscall.SIGPIPE, syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGURG} {
		must(t, h.Process.Signal(sig))
	}
	b.skips("n")
	must(t, os.Remove(b.lockFile("n"))) // and not when they are let through to the Go runtime
	b.eventually("the file is back", func() bool { _, err := os.Stat(b.lockFile("n")); return err == nil })
	if o := h.release(); o.code != 0 {
		t.Error(o)
	}
}

// A skip counts itself by a write, which may not be allowed.
func TestEarlySkipsWhereNoFileMayGrow(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("n")
	c := b.command("bash", "-c", `ulimit -f 0; exec "$@"`, "bash", binary, "run", "n", "--", "touch", b.file("witness"))
	if o := b.finish(c); o.code != 75 || o.stderr == "" {
		t.Error(o)
	}
	b.notRun()
	h.release()
}

// countSignals counts real-time signals, until none comes for long or there are so many.
const countSignals = `
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 65))
print("up", os.getpid(), flush=True)
n = 0
while n < int(sys.argv[1]) and signal.sigtimedwait(range(34, 65), 10):
    n += 1
print(n, flush=True)
`

// Real-time signals are queued, and none of thousands is lost: at once, later, and while
// the Go runtime starts because the lock file was deleted.
func TestEarlyKeepsManySignals(t *testing.T) {
	t.Parallel()
	need(t, "python3", "python3")
	const many = 2000
	b := newBox(t).warm("n")
	h := b.start(b.sole("run", "n", "--", "python3", "-c", countSignals, strconv.Itoa(3*many)))
	send := func() {
		for i := range many {
			must(t, h.Process.Signal(syscall.Signal(34+i%31)))
		}
	}
	send()
	b.eventually("the lock file is watched", func() bool {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", h.Process.Pid))
		return slices.ContainsFunc(files, func(f string) bool { to, _ := os.Readlink(f); return to == "anon_inode:inotify" })
	})
	send()
	must(t, os.Remove(b.lockFile("n")))
	send()
	if got := h.line(); got != strconv.Itoa(3*many)+"\n" {
		t.Errorf("sent %d, got %s", 3*many, got)
	}
	h.wait()
}
