package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// list is sole ls --json, the holders of one name.
func (b *box) list(name string) []status {
	b.Helper()
	o := b.expect(0, "ls", "--json")
	var all []status
	must(b, json.Unmarshal([]byte(o.stdout), &all))
	return slices.DeleteFunc(all, func(st status) bool { return st.Name != name })
}

// pids are the supervisors of the holders, in order.
func pids(all []status) []int {
	var p []int
	for _, st := range all {
		p = append(p, st.PID)
	}
	slices.Sort(p)
	return p
}

func pidsOf(all ...*held) []int {
	var p []int
	for _, h := range all {
		p = append(p, h.Process.Pid)
	}
	slices.Sort(p)
	return p
}

func TestShared(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two, three := b.hold("--shared", "n"), b.hold("-s", "n"), b.hold("-s", "--exec", "n")
	all := []*held{one, two, three}
	st := b.status("n")
	if st.State != "held" || st.Mode != "shared" || len(st.Others) != 2 || st.Slot != 0 {
		t.Errorf("status: %+v", st)
	}
	runs := map[uint64]bool{}
	for _, h := range st.holders() {
		runs[h.Run] = true
	}
	if len(runs) != 3 {
		t.Errorf("run numbers: %v", runs)
	}
	if got := pids(st.holders()); !slices.Equal(got, pidsOf(all...)) {
		t.Errorf("status names %v, and %v hold it", got, pidsOf(all...))
	}
	if got := pids(b.list("n")); !slices.Equal(got, pidsOf(all...)) {
		t.Errorf("ls names %v, and %v hold it", got, pidsOf(all...))
	}
	text := b.expect(0, "status", "n").stdout
	mustContain(t, text, "held by 3")
	for _, h := range all {
		mustContain(t, text, fmt.Sprintf("pid %d ", h.Process.Pid))
	}
	o := b.skips("n") // an exclusive one
	mustContain(t, o.stderr, "n is already running 3 times: pid ")
	one.release()
	if got := pids(b.list("n")); !slices.Equal(got, pidsOf(two, three)) {
		t.Errorf("then ls names %v", got)
	}
	b.skips("n")
	two.release()
	three.release()
	if st := b.status("n"); st.State != "free" || st.Run == 0 {
		t.Errorf("status: %+v", st)
	}
	b.takes("n")

	// An exclusive one excludes them.
	h := b.hold("n")
	mustContain(t, b.expect(75, "run", "-s", "n", "--", "touch", b.file("witness")).stderr, strconv.Itoa(h.Process.Pid))
	mustContain(t, b.expect(75, "run", "-s", "--wait=0.05", "n", "--", "touch", b.file("witness")).stderr, "gave up")
	b.notRun()
	var waiting []*launched
	gate := b.fifo("gate")
	for i := range 3 {
		waiting = append(waiting, b.launch(b.sole("run", "-s", "--wait", "n", "--", "sh", "-c", `echo x >>"$1"; read -r x <"$0"`, gate, b.file("order"))))
		b.waiters("n", i+1)
	}
	h.release()
	b.eventually("all that share it have it", func() bool { return len(b.list("n")) == 3 && len(b.words("order")) == 3 })
	w, err := os.OpenFile(gate, os.O_RDWR, 0)
	must(t, err)
	defer w.Close()
	_, _ = w.WriteString("\n\n\n")
	for _, l := range waiting {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
	b.takes("n")
}

// stop, signal and reload reach all that share a name.
func TestSignalsReachAllThatShare(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	start := func() (all []*held) {
		for range 3 {
			all = append(all, b.start(b.signals("-s")))
		}
		return all
	}
	all := start()
	b.expect(0, "reload", "n")
	b.expect(0, "signal", "n", "USR1")
	for _, h := range all {
		got := []string{strings.TrimSpace(h.line()), strings.TrimSpace(h.line())}
		slices.Sort(got)
		if !slices.Equal(got, []string{fmt.Sprintf("got %d.", syscall.SIGHUP), fmt.Sprintf("got %d.", syscall.SIGUSR1)}) {
			t.Errorf("%q", got)
		}
	}
	b.expect(0, "stop", "--grace", "0.2", "n") // they take no notice of TERM
	for _, h := range all {
		if o := h.wait(); o.signal != syscall.SIGKILL {
			t.Errorf("%v", o)
		}
	}
	b.takes("n")
	b.expect(3, "signal", "--slot", "1", "n", "TERM")
}

// One that waits to be alone is not starved by a stream of those that share.
func TestWriterIsNotStarved(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"--shared", "--slots=3"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			reader := b.hold(kind, "n")
			other := b.hold(kind, "n")
			writer := b.launch(b.sole(append([]string{"run", "--wait", "n"}, b.say("writer")...)...))
			b.waiters("n", 1)
			// Those that do not wait skip, those that wait come after it.
			for range 3 {
				mustContain(t, b.expect(75, "run", kind, "n", "--", "touch", b.file("witness")).stderr, "1 waiting")
			}
			b.notRun()
			late := b.launch(b.sole(append([]string{"run", kind, "--wait", "n"}, b.say("late")...)...))
			b.waiters("n", 2)
			reader.release()
			if got := b.words("order"); len(got) > 0 {
				t.Errorf("beside a reader ran %v", got)
			}
			mustContain(t, b.expect(75, "run", kind, "n", "--", "touch", b.file("witness")).stderr, "2 waiting")
			other.release()
			for _, l := range []*launched{writer, late} {
				if o := l.wait(); o.code != 0 {
					t.Errorf("%v", o)
				}
			}
			if got := b.words("order"); !slices.Equal(got, []string{"writer", "late"}) {
				t.Errorf("order %v", got)
			}

			// A writer that gives up lets them in.
			reader = b.hold(kind, "n")
			writer = b.launch(b.sole("run", "--wait", "n", "--", "true"))
			b.waiters("n", 1)
			late = b.launch(b.sole(append([]string{"run", kind, "--wait", "n"}, b.say("third")...)...))
			b.waiters("n", 2)
			must(t, writer.Process.Kill())
			if o := late.wait(); o.code != 0 {
				t.Errorf("%v", o)
			}
			reader.release()
			b.takes("n")
		})
	}
}

// Those that share and wait behind a writer that stops are let past it.
func TestStoppedWriterLetsReadersPast(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"--shared", "--slots=3"} {
		b := newBox(t)
		reader := b.hold(kind, "n")
		writer := b.launch(b.sole("run", "--wait", "n", "--", "true"))
		b.waiters("n", 1)
		b.freeze(writer.Process)
		b.expect(0, "run", kind, "n", "--", "true")
		b.expect(0, "run", kind, "--wait", "n", "--", "true")
		b.skips("n") // alone
		must(t, writer.Process.Signal(syscall.SIGCONT))
		b.eventually("it goes on", func() bool { return procState(writer.Process.Pid) != 'T' })
		b.expect(75, "run", kind, "n", "--", "true")
		reader.release()
		if o := writer.wait(); o.code != 0 {
			t.Errorf("%s: %v", kind, o)
		}
		b.takes("n")
	}
}

// --lock with --shared is flock -s, both ways.
func TestSharedLockWithFlock(t *testing.T) {
	t.Parallel()
	flock := need(t, "flock", "util-linux")
	for _, kind := range []string{"--shared", "--slots=4"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			path := b.file("theirs")
			must(t, os.WriteFile(path, nil, 0o644))
			try := func(how string, want int) {
				t.Helper()
				if o := b.finish(b.command(flock, "-n", "-E", "9", how, path, "true")); o.code != want {
					t.Errorf("flock %s: want %d, got %v", how, want, o)
				}
			}
			one := b.hold(kind, "--lock", path, "n")
			two := b.hold(kind, "--lock", path, "n")
			try("-s", 0)
			try("-x", 9)
			b.expect(75, "run", "--lock", path, "m", "--", "touch", b.file("witness")) // alone, by another name
			b.expect(0, "run", "-s", "--lock", path, "m", "--", "true")
			one.release()
			try("-x", 9)
			two.release()
			try("-x", 0)

			s := b.start(b.command(flock, "-n", "-s", "-F", path, "sh", "-c", holdScript))
			b.expect(0, "run", kind, "--lock", path, "n", "--", "true")
			o := b.expect(75, "run", "--lock", path, "n", "--", "touch", b.file("witness"))
			mustContain(t, o.stderr, path)
			s.release()
			x := b.start(b.command(flock, "-n", "-x", "-F", path, "sh", "-c", holdScript))
			for _, flags := range [][]string{{}, {"--wait=0.05"}, {"--exec"}} {
				args := append([]string{"run", kind}, flags...)
				o := b.expect(75, append(args, "--lock", path, "n", "--", "touch", b.file("witness"))...)
				mustContain(t, o.stderr, path)
			}
			b.notRun()
			if st := b.status("n"); st.State != "free" {
				t.Errorf("after the skips: %+v", st)
			}
			b.expect(0, "run", kind, "n", "--", "true")
			x.release()
			b.takes("n")
		})
	}
}

// Run numbers are unique and grow, in whatever way the name is held, and whoever is killed.
func TestRunNumbersOfAllKinds(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var last uint64
	seen := map[uint64]bool{}
	for i := range 60 {
		kind := [][]string{{"-s"}, {"--slots", "3"}, {}}[i*7%3]
		if i%5 == 4 {
			kind = []string{"--replace", "--grace", "0.1"}
		}
		h := b.hold(append(kind, "n")...)
		var here []*held
		here = append(here, h)
		if len(kind) > 0 && kind[0] != "--replace" {
			here = append(here, b.hold(append(kind, "n")...))
		}
		for _, st := range b.status("n").holders() {
			if seen[st.Run] {
				t.Fatalf("round %d: run %d again", i, st.Run)
			}
			if st.Run <= last {
				t.Fatalf("round %d: run %d after %d", i, st.Run, last)
			}
			seen[st.Run] = true
		}
		for r := range seen {
			last = max(last, r)
		}
		for j, h := range here {
			switch (i + j) % 4 {
			case 0:
				must(t, h.Process.Kill()) // it leaves the command
				h.wait()
				h.stdin.Close()
			case 1:
				b.expect(0, "signal", "n", "KILL")
				h.stdin.Close()
				h.wait()
			default:
				h.release()
			}
		}
		b.eventually("the name is free", func() bool { return b.status("n").State == "free" })
		if st := b.status("n"); st.Run != last {
			t.Errorf("round %d: the last run was %d, not %d", i, last, st.Run)
		}
	}
}

// stop reaches the holder, and not the waiter that gets the name after it.
func TestStopSparesTheNextOne(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for i := range 15 {
		h := b.hold("n")
		w := b.queueUp(3, "--wait")
		b.expect(0, "stop", "n")
		if o := h.wait(); o.signal != syscall.SIGTERM {
			t.Errorf("round %d: the holder: %v", i, o)
		}
		for _, l := range w {
			if o := l.wait(); o.code != 0 {
				t.Errorf("round %d: a waiter: %v", i, o)
			}
		}
	}
}

// A start that shares an orderly name looks for no holder of a deleted file: that means to read
// about every process, and one start after the other would do so.
func TestSharedStartSearchesForNobody(t *testing.T) {
	t.Parallel()
	strace := need(t, "strace", "strace")
	b := newBox(t)
	b.takes("n")
	for _, kind := range []string{"--shared", "--slots=5"} {
		for range 2 { // also on a seat that was used
			log := b.file("log")
			o := b.finish(b.command(strace, "-f", "-o", log, "-e", "trace=openat,getdents64", binary, "run", kind, "n", "--", "true"))
			if o.code != 0 {
				t.Fatalf("%v", o)
			}
			said, err := os.ReadFile(log)
			must(t, err)
			mustContain(t, string(said), "n.seats")
			for _, part := range []string{`"/proc/locks"`, `"/proc"`, "fdinfo"} {
				if strings.Contains(string(said), part) {
					t.Errorf("%s: it reads %s", kind, part)
				}
			}
		}
	}
}
