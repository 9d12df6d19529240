package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// say is a command that appends a word to the file "order" of the box.
func (b *box) say(word string) []string {
	return []string{"--", "sh", "-c", `echo "$0" >>"$1"`, word, b.file("order")}
}

// queueUp has one start after the other wait for the name; what each says is its number.
func (b *box) queueUp(n int, flags ...string) []*launched {
	b.Helper()
	before := b.status("n").Waiters
	var all []*launched
	for i := range n {
		args := append(append([]string{"run"}, flags...), "n")
		all = append(all, b.launch(b.sole(append(args, b.say(strconv.Itoa(i))...)...)))
		b.waiters("n", before+i+1)
	}
	return all
}

func TestSkipAndStatusNameTheWaiters(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	if o := b.skips("n"); strings.Contains(o.stderr, "waiting") {
		t.Errorf("nobody waits: %q", o.stderr)
	}
	if o := b.expect(0, "status", "--json", "n"); strings.Contains(o.stdout, `"waiting"`) {
		t.Errorf("nobody waits: %s", o.stdout)
	}
	first := b.launch(b.sole("run", "--wait", "n", "--", "true", "first"))
	b.waiters("n", 1)
	mustContain(t, b.skips("n").stderr, "; 1 waiting")
	second := b.launch(b.sole("run", "--wait", "-s", "n", "--", "true", "second"))
	b.waiters("n", 2)
	third := b.launch(b.sole("run", "--wait", "--slots", "2", "n", "--", "true", "third"))
	b.waiters("n", 3)
	o := b.skips("n")
	mustContain(t, o.stderr, fmt.Sprintf("n is already running: pid %d", h.Process.Pid), "; 3 waiting", "; skipped, 3rd in a row\n")

	b.freeze(second.Process)
	st := b.status("n")
	want := []struct {
		l       *launched
		kind    string
		stopped bool
	}{{first, "exclusive", false}, {second, "shared", true}, {third, "slots", false}}
	if len(st.Waiting) != 3 {
		t.Fatalf("status: %+v", st)
	}
	for i, w := range st.Waiting {
		if w.PID != want[i].l.Process.Pid || w.For != want[i].kind || w.Stopped != want[i].stopped {
			t.Errorf("waiter %d: %+v", i, w)
		}
		if !slices.Equal(w.Command, want[i].l.Args) {
			t.Errorf("waiter %d: %q instead of %q", i, w.Command, want[i].l.Args)
		}
		if w.Seconds < 0 || w.Seconds > patience.Seconds() || i > 0 && w.Seconds > st.Waiting[i-1].Seconds {
			t.Errorf("waiter %d waits for %v", i, w.Seconds)
		}
	}
	text := b.expect(0, "status", "n").stdout
	mustContain(t, text, fmt.Sprintf("pid %d", first.Process.Pid), "to share it", "for a slot", "stopped")
	ls := strings.Fields(strings.SplitN(b.expect(0, "ls").stdout, "\n", 3)[1])
	if len(ls) < 9 || ls[8] != "3" {
		t.Errorf("ls: %q", ls)
	}

	h.release()
	must(t, second.Process.Signal(syscall.SIGCONT))
	for _, l := range []*launched{first, second, third} {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%q: %v", l.Args, o)
		}
	}
	b.takes("n")
}

// A waiter that is killed, times out, or is stopped in the middle of the queue is in
// nobody's way, and a stopped one has its turn when it goes on.
func TestTheQueueGoesOn(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	w := b.queueUp(6, "--wait")
	limited := b.launch(b.sole(append([]string{"run", "--wait=0.3", "n"}, b.say("limited")...)...))
	last := b.launch(b.sole(append([]string{"run", "--wait", "n"}, b.say("last")...)...))
	b.eventually("the limit", limited.ended)
	if o := limited.wait(); o.code != 75 || !strings.Contains(o.stderr, "gave up after 300ms") {
		t.Errorf("a wait with a limit: %v", o)
	}
	b.waiters("n", 7)
	must(t, w[1].Process.Kill())
	b.waiters("n", 6)
	must(t, w[3].Process.Signal(syscall.SIGTERM)) // a wait is cancelled by any signal's default
	b.waiters("n", 5)
	if o := w[3].wait(); o.signal != syscall.SIGTERM {
		t.Errorf("a waiter that TERM ends: %v", o)
	}
	b.freeze(w[0].Process)
	b.freeze(w[4].Process)
	h.release()
	for _, i := range []int{2, 5} {
		if o := w[i].wait(); o.code != 0 {
			t.Errorf("waiter %d: %v", i, o)
		}
	}
	if o := last.wait(); o.code != 0 {
		t.Errorf("the last: %v", o)
	}
	if got := b.words("order"); !slices.Equal(got, []string{"2", "5", "last"}) {
		t.Errorf("they ran in the order %v", got)
	}
	// Only stopped ones wait now: one that does not wait gets in.
	if st := b.status("n"); st.State != "free" || st.Waiters != 2 {
		t.Errorf("status: %+v", st)
	}
	b.takes("n")
	must(t, w[4].Process.Signal(syscall.SIGCONT))
	if o := w[4].wait(); o.code != 0 {
		t.Errorf("one that went on: %v", o)
	}
	must(t, w[0].Process.Signal(syscall.SIGCONT))
	if o := w[0].wait(); o.code != 0 {
		t.Errorf("one that went on: %v", o)
	}
	if got := b.words("order"); !slices.Equal(got, []string{"2", "5", "last", "4", "0"}) {
		t.Errorf("they ran in the order %v", got)
	}
	b.takes("n")
}

// One that was stopped and goes on while others still wait is the next, by its arrival.
func TestContinuedWaiterHasItsTurn(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	w := b.queueUp(3, "--wait")
	b.freeze(w[0].Process)
	// The second one holds on while the first one goes on.
	must(t, w[1].Process.Kill())
	<-w[1].done
	b.waiters("n", 2)
	second := b.fifo("gate")
	holder := b.launch(b.sole("run", "--wait", "n", "--", "sh", "-c", `echo holder >>"$1"; read -r x <"$0"`, second, b.file("order")))
	b.waiters("n", 3)
	more := b.queueUp(2, "--wait")
	h.release()
	if o := w[2].wait(); o.code != 0 {
		t.Errorf("the third: %v", o)
	}
	b.eventually("the holder has it", func() bool { return len(b.words("order")) == 2 })
	b.waiters("n", 3)
	must(t, w[0].Process.Signal(syscall.SIGCONT))
	b.eventually("it goes on", func() bool { return procState(w[0].Process.Pid) != 'T' })
	must(t, os.WriteFile(second, []byte("\n"), 0))
	for _, l := range []*launched{holder, w[0], more[0], more[1]} {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
	if got := b.words("order"); !slices.Equal(got, []string{"2", "holder", "0", "0", "1"}) {
		t.Errorf("they ran in the order %v", got)
	}
}

// Of many starts during a run one is left, and it runs after it.
func TestQueueOfABurst(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	const n = 100
	var all []*launched
	for i := range n {
		all = append(all, b.launch(b.sole(append([]string{"run", "--queue", "n"}, b.say(strconv.Itoa(i))...)...)))
	}
	var queued *launched
	b.eventually("all but one have left", func() bool {
		left := 0
		for _, l := range all {
			if !l.ended() {
				left++
				queued = l
			}
		}
		return left <= 1
	})
	for _, l := range all {
		if l == queued {
			continue
		}
		if o := l.wait(); o.code != 75 || !strings.Contains(o.stderr, "already queued, skipped") {
			t.Errorf("one too many: %v", o)
		}
	}
	b.waiters("n", 1)
	if st := b.status("n"); st.Skips != n-1 {
		t.Errorf("%d skips are counted", st.Skips)
	}
	h.release()
	if o := queued.wait(); o.code != 0 {
		t.Errorf("the one that queued: %v", o)
	}
	if got := b.words("order"); len(got) != 1 {
		t.Errorf("%d ran: %v", len(got), got)
	}
	b.takes("n")
	// On a free name it runs at once.
	b.expect(0, "run", "--queue", "n", "--", "true")
}

func TestQueue(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	skip := func(args ...string) {
		t.Helper()
		o := b.expect(75, append(append([]string{"run"}, args...), "n", "--", "touch", b.file("witness"))...)
		mustContain(t, o.stderr, "already queued")
		b.notRun()
	}
	// A trigger during the run that was queued for is followed by one more.
	gate := b.fifo("gate")
	queued := b.launch(b.sole("run", "--queue", "n", "--", "sh", "-c", `echo queued >>"$1"; read -r x <"$0"`, gate, b.file("order")))
	b.waiters("n", 1)
	skip("--queue")
	skip("--queue", "--wait=1h")
	h.release()
	b.eventually("it runs", func() bool { return len(b.words("order")) == 1 })
	again := b.queueUp(1, "--queue")[0]
	skip("--queue")
	must(t, os.WriteFile(gate, []byte("\n"), 0))
	for _, l := range []*launched{queued, again} {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
	if got := b.words("order"); !slices.Equal(got, []string{"queued", "0"}) {
		t.Errorf("they ran in the order %v", got)
	}

	// One that was killed, or gave up, makes room.
	h = b.hold("n")
	w := b.queueUp(1, "--queue")[0]
	must(t, w.Process.Kill())
	b.waiters("n", 0)
	o := b.expect(75, "run", "--queue", "--wait=0.1", "n", "--", "touch", b.file("witness"))
	mustContain(t, o.stderr, "gave up after 100ms")
	if strings.Contains(o.stderr, "already queued") {
		t.Errorf("%q", o.stderr)
	}
	w = b.queueUp(1, "--queue")[0]
	skip("--queue")
	// One that waits anyway does not mind it.
	plain := b.launch(b.sole(append([]string{"run", "--wait", "n"}, b.say("plain")...)...))
	b.waiters("n", 2)
	h.release()
	w.wait()
	plain.wait()
	if got := b.words("order"); !slices.Equal(got, []string{"queued", "0", "0", "plain"}) {
		t.Errorf("they ran in the order %v", got)
	}

	// Where somebody waits, that run comes after the trigger too.
	h = b.hold("n")
	w = b.queueUp(1, "--wait")[0]
	skip("--queue")
	h.release()
	w.wait()
	b.takes("n")
}

func TestFlagsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, flags := range [][]string{
		{"--queue", "--replace"}, {"--shared", "--slots", "2"}, {"--shared", "--replace"}, {"--slots", "2", "--replace"},
		{"--older-than", "1s"}, {"--slots", "0"}, {"--slots", "1001"}, {"--slots", "-1"}, {"--slots", "x"}, {"--slots", "1.5"},
		{"--exec", "--kill-tree"}, {"--exec", "--grace", "1s"}, {"--replace", "--older-than", "x"},
	} {
		o := b.expect(64, append(append([]string{"run"}, flags...), "n", "--", "touch", b.file("witness"))...)
		if o.stdout != "" || !strings.HasPrefix(o.stderr, "sole: ") {
			t.Errorf("%q: %v", flags, o)
		}
	}
	b.notRun()
	b.expect(0, "run", "--slots", "1000", "n", "--", "true")
	b.expect(0, "run", "--exec", "--replace", "--grace", "1s", "--kill-tree", "n", "--", "true")
	for _, args := range [][]string{{"stop", "--slot", "0", "n"}, {"signal", "--slot", "x", "n", "TERM"}, {"reload", "--slot", "1001", "n"}} {
		b.expect(64, args...)
	}
}
