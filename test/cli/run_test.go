package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A command that a signal killed has sole die of the same one.
func TestDeathBySignalIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{
		syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGALRM,
	} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			o := b.run("run", "n", "--", "sh", "-c", "kill -"+strconv.Itoa(int(sig))+" $$; exit 1")
			if o.signal != sig {
				t.Errorf("want death by %v, got %v", sig, o)
			}
			if o.stderr != "" || o.stdout != "" {
				t.Errorf("sole said something: %v", o)
			}
			if _, err := os.Stat(b.file("core")); err == nil {
				t.Error("a core file was left")
			}
			b.takes("n")
		})
	}
}

func TestMaxTime(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	o := b.expect(124, "run", "--max-time", "0.1", "n", "--", "sleep", "300")
	mustContain(t, o.stderr, "longer than")
	b.takes("n")
	if o := b.expect(124, "run", "-q", "--max-time", "0.1", "n", "--", "sleep", "300"); o.stderr != "" {
		t.Errorf("--quiet said %q", o.stderr)
	}

	// A command that takes no notice of TERM.
	c := b.sole("run", "--max-time", "0.1", "--grace", "0.1", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript)
	h := b.start(c)
	if o := h.wait(); o.code != 124 {
		t.Errorf("a command that ignores TERM: %v", o)
	}
	if alive(h.pid) {
		t.Errorf("pid %d lives on", h.pid)
	}

	// One that ends in its own way when asked to: 124 nevertheless.
	b.expect(124, "run", "--max-time", "0.1", "n", "--", "sh", "-c", `trap "exit 3" TERM; while :; do sleep 0.01; done`)

	// A stopped one.
	begin := time.Now()
	b.expect(124, "run", "--max-time", "0.1", "n", "--", "sh", "-c", `kill -STOP $$`)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("a stopped command was ended after %s only", took)
	}

	// What ends in time keeps its code.
	b.expect(7, "run", "--max-time", "1h", "n", "--", "sh", "-c", "exit 7")
}

func TestExecBecomesTheCommand(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("--exec", "n")
	if h.pid != h.Process.Pid {
		t.Errorf("the command is pid %d, but %d was started", h.pid, h.Process.Pid)
	}
	if st := b.status("n"); st.State != "held" || st.PID != h.pid || st.Orphaned || len(st.Leftover) > 0 {
		t.Errorf("status: %+v", st)
	}
	b.skips("n")
	if o := h.release(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	b.takes("n")
	if o := b.run("run", "--exec", "n", "--", "sh", "-c", "kill -9 $$"); o.signal != syscall.SIGKILL {
		t.Errorf("death: %v", o)
	}
	b.takes("n")

	h = b.hold("--exec", "n")
	b.expect(0, "stop", "n")
	if o := h.wait(); o.signal != syscall.SIGTERM {
		t.Errorf("stop: %v", o)
	}
	b.takes("n")
}

// daemonScript leaves a daemon in a session of its own, which says its pid, and lives
// until somebody writes to the FIFO of its first argument. By the second one the
// script learns that the daemon is there.
const daemonScript = `setsid -f sh -c 'echo up $$; echo >"$1"; read -r x <"$0"' "$1" "$2"; read -r x <"$2"`

// daemon starts a command that ends at once and leaves a daemon behind.
func (b *box) daemon(flags ...string) (h *held, fifo string) {
	b.Helper()
	fifo = b.fifo(fmt.Sprintf("fifo%d", time.Now().UnixNano()))
	args := append([]string{"run"}, flags...)
	h = b.start(b.sole(append(args, "--", "sh", "-c", daemonScript, "sh", fifo, b.fifo(filepath.Base(fifo)+"up"))...))
	b.Cleanup(func() { endDaemon(h.pid, fifo) })
	return h, fifo
}

// endDaemon has the daemon end, if it is there.
func endDaemon(pid int, fifo string) {
	for alive(pid) {
		f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil { // it reads: otherwise it does not yet
			_, _ = f.WriteString("end\n")
			f.Close()
		}
		pause()
	}
}

func TestUntilTreeKeepsTheName(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	b := newBox(t).warm("n")
	h, fifo := b.daemon("--until", "tree", "n")
	var st status
	b.eventually("the command's end in status", func() bool {
		st = b.status("n")
		return st.ChildPID == 0
	})
	if st.State != "held" || st.PID != h.Process.Pid || st.Orphaned || len(st.Leftover) != 1 || st.Leftover[0] != h.pid {
		t.Errorf("with a daemon %d left: %+v", h.pid, st)
	}
	mustContain(t, b.expect(0, "status", "n").stdout, strconv.Itoa(h.pid), "descendants")
	b.skips("n")
	endDaemon(h.pid, fifo)
	if o := h.wait(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	b.takes("n")

	// stop reaches it.
	h, _ = b.daemon("--until", "tree", "n")
	b.expect(0, "stop", "n")
	h.wait()
	if alive(h.pid) {
		t.Errorf("pid %d lives on after stop", h.pid)
	}
	b.takes("n")
}

func TestDaemonDoesNotKeepTheName(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	b := newBox(t).warm("n")
	h, _ := b.daemon("n")
	// The daemon has standard output open, which must not keep sole.
	if o := h.wait(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	if !alive(h.pid) {
		t.Fatal("the daemon is gone")
	}
	b.takes("n")
	if st := b.status("n"); st.State != "free" {
		t.Errorf("status: %+v", st)
	}
	if !alive(h.pid) {
		t.Error("the daemon was ended")
	}
}

func TestKillTree(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	b := newBox(t).warm("n")
	h, _ := b.daemon("--kill-tree", "n")
	if o := h.wait(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	if alive(h.pid) {
		t.Errorf("the daemon %d lives on", h.pid)
	}
	b.takes("n")

	// With a daemon that takes no notice of TERM, and together with --max-time.
	script := `setsid -f sh -c 'trap "" TERM; echo up $$; read -r x <"$0"' "$1"; exec sleep 300`
	fifo := b.fifo("ignores")
	h = b.start(b.sole("run", "--kill-tree", "--max-time", "0.2", "--grace", "0.2", "n", "--", "sh", "-c", script, "sh", fifo))
	if o := h.wait(); o.code != 124 {
		t.Errorf("end: %v", o)
	}
	if alive(h.pid) {
		t.Errorf("the daemon %d lives on", h.pid)
	}
	b.takes("n")
}

func TestKilledSupervisor(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"by itself", "by stop", "by a signal", "by replacing it"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			h := b.hold("n")
			first := b.status("n")
			must(t, h.Process.Signal(syscall.SIGKILL))
			if o := h.wait(); o.signal != syscall.SIGKILL {
				t.Fatalf("supervisor: %v", o)
			}
			st := b.status("n")
			if st.State != "held" || !st.Orphaned || st.ChildPID != h.pid || st.PID != 0 || st.Run != first.Run {
				t.Errorf("the command is pid %d, status says %+v", h.pid, st)
			}
			if o := b.skips("n"); !strings.Contains(o.stderr, fmt.Sprintf("pid %d", h.pid)) || !strings.Contains(o.stderr, "orphaned") {
				t.Errorf("the skip says %q", o.stderr)
			}
			mustContain(t, b.expect(0, "ls").stdout, "orphaned", strconv.Itoa(h.pid))
			switch end {
			case "by itself":
				h.stdin.Close()
			case "by stop":
				b.expect(0, "stop", "n")
				if alive(h.pid) {
					t.Error("it lives on after stop")
				}
			case "by a signal":
				b.expect(0, "signal", "n", "KILL")
			case "by replacing it":
				w := b.sole("run", "--wait", "n", "--", "sh", "-c", holdScript)
				go func() { // once the waiter waits
					for b.status("n").Waiters == 0 {
						pause()
					}
					h.stdin.Close()
				}()
				n := b.start(w)
				if got := b.status("n"); got.Run != first.Run+1 || got.Orphaned {
					t.Errorf("the next one: %+v", got)
				}
				n.release()
			}
			b.expect(0, "wait", "--timeout", "20s", "n")
			b.takes("n")
			if st := b.status("n"); st.State != "free" || st.Run <= first.Run {
				t.Errorf("afterwards: %+v", st)
			}
		})
	}
}
