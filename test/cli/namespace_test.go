package cli

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// inside is sole in a pid namespace of its own, of which it is pid 1.
func (b *box) inside(args ...string) *exec.Cmd {
	b.Helper()
	unshare := need(b.T, "unshare", "util-linux")
	return b.command(unshare, append([]string{"-p", "-f", "-m", "--mount-proc", "--kill-child"}, args...)...)
}

// Two containers that share the directory exclude each other.
func TestPidNamespaces(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	h := b.start(b.inside(binary, "run", "n", "--", "sh", "-c", holdScript))
	o := b.finish(b.inside(binary, "run", "n", "--", "touch", b.file("witness")))
	if o.code != 75 || !strings.Contains(o.stderr, "another pid namespace") {
		t.Errorf("in another namespace: %v", o)
	}
	b.skips("n")
	for _, look := range []*exec.Cmd{b.sole("status", "--json", "n"), b.inside(binary, "status", "--json", "n")} {
		o := b.finish(look)
		mustContain(t, o.stdout, `"state": "held"`, `"elsewhere": true`, `"orphaned": false`)
		if o.code != 0 {
			t.Errorf("status: %v", o)
		}
	}
	for _, args := range [][]string{{"stop", "n"}, {"signal", "n", "KILL"}, {"reload", "n"}} {
		if o := b.finish(b.inside(append([]string{binary}, args...)...)); o.code != 77 {
			t.Errorf("%q from another namespace: %v", args, o)
		}
		b.expect(77, args...)
	}
	if st := b.status("n"); st.State != "held" {
		t.Errorf("after that: %+v", st)
	}
	if o := h.release(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	b.takes("n")
}

// A container that was killed starts anew: its record has the pid that the new one has.
func TestContainerRestart(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	for range 3 {
		h := b.start(b.inside(binary, "run", "n", "--", "sh", "-c", holdScript))
		if st := b.status("n"); st.PID != 1 || !st.Elsewhere {
			t.Errorf("status: %+v", st)
		}
		must(t, h.Process.Signal(syscall.SIGKILL)) // --kill-child: the namespace goes with it
		h.wait()
		b.expect(0, "wait", "--timeout", "20s", "n")
		if st := b.status("n"); st.State != "free" {
			t.Errorf("after its death: %+v", st)
		}
	}
	if o := b.finish(b.inside(binary, "run", "n", "--", "sh", "-c", "echo $SOLE_RUN")); o.stdout != "4\n" {
		t.Errorf("the fourth: %v", o)
	}
}

// A pid that another process has got since is not shown as the holder.
func TestRecycledPid(t *testing.T) {
	t.Parallel()
	needRoot(t)
	if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil {
		t.Skip("the kernel has no ns_last_pid")
	}
	b := newBox(t)
	// In a namespace of its own nothing else takes pids.
	const script = `
		sole=$1
		mkfifo up go
		$sole run n -- sh -c 'echo $$ >up; read -r x <go' &
		supervisor=$!
		read -r child <up
		kill -KILL $supervisor
		wait $supervisor 2>/dev/null
		echo $((supervisor - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 &
		[ $! = $supervisor ] || { echo "got $! for $supervisor"; exit 1; }
		$sole status --json n
		$sole stop n; echo "stop $?"
		kill -0 $supervisor && echo "the other one lives"
		echo $((child - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 &
		[ $! = $child ] || { echo "got $! for $child"; exit 1; }
		$sole status --json n; echo "status $?"
		$sole stop n; echo "stop $?"
		$sole signal n TERM 2>/dev/null; echo "signal $?"
		kill -0 $child && echo "that one too"
		$sole run n -- echo ran`
	o := b.finish(b.inside("bash", "-c", script, "bash", binary))
	first, rest, ok := strings.Cut(o.stdout, "stop 0\nthe other one lives\n")
	if !ok {
		t.Fatalf("stop: %v", o)
	}
	mustContain(t, first, `"state": "held"`, `"pid": 0,`, `"orphaned": true`)
	mustContain(t, rest, `"state": "free"`, `"pid": 0,`, `"child_pid": 0,`, "status 3\nstop 0\nsignal 3\nthat one too\nran\n")
}
