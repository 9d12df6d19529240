package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// slotScript says its pid and its slot.
const slotScript = `echo up $$; echo "$SOLE_SLOT"; exec cat >/dev/null`

// slot has a command hold a slot, and checks which.
func (b *box) slot(n, want int, flags ...string) *held {
	b.Helper()
	args := append([]string{"run", "--slots", strconv.Itoa(n)}, flags...)
	h := b.start(b.sole(append(args, "n", "--", "sh", "-c", slotScript)...))
	if got := strings.TrimSpace(h.line()); got != strconv.Itoa(want) {
		b.Errorf("slot %s of %d, want %d", got, n, want)
	}
	return h
}

// slots are those that status names, and ls too.
func (b *box) slots(want ...int) status {
	b.Helper()
	st := b.status("n")
	var got []int
	for _, h := range st.holders() {
		got = append(got, h.Slot)
	}
	if !slices.Equal(got, want) {
		b.Errorf("status names the slots %v, want %v", got, want)
	}
	var listed []int
	for _, h := range b.list("n") {
		listed = append(listed, h.Slot)
	}
	if !slices.Equal(listed, want) {
		b.Errorf("ls names the slots %v, want %v", listed, want)
	}
	return st
}

func TestSlots(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two, three := b.slot(3, 1), b.slot(3, 2), b.slot(3, 3, "--exec")
	if st := b.slots(1, 2, 3); st.Mode != "slots" {
		t.Errorf("mode %s", st.Mode)
	}
	o := b.expect(75, "run", "--slots", "3", "n", "--", "touch", b.file("witness"))
	mustContain(t, o.stderr, "n is already running in all of 3 slots", fmt.Sprintf("slot 1: pid %d", one.Process.Pid))
	b.skips("n") // alone
	text := b.expect(0, "status", "n").stdout
	mustContain(t, text, "held by 3", "slot 1", "slot 2", "slot 3")
	mustContain(t, b.expect(0, "ls").stdout, "slot 1", "slot 2", "slot 3")

	// The lowest free one, and each start goes by its own number.
	two.release()
	b.slots(1, 3)
	o = b.expect(75, "run", "--slots", "1", "n", "--", "touch", b.file("witness"))
	b.notRun()
	two = b.slot(2, 2)
	o = b.expect(75, "run", "--slots", "2", "n", "--", "touch", b.file("witness"))
	mustContain(t, o.stderr, "all of 2 slots")
	four := b.slot(9, 4)
	one.release()
	one = b.slot(1, 1)
	b.slots(1, 2, 3, 4)
	// Those that share are beside them, and take no slot.
	shared := b.hold("-s", "n")
	five := b.slot(5, 5)
	if st := b.status("n"); len(st.holders()) != 6 {
		t.Errorf("%+v", st)
	}
	b.skips("n")
	for _, h := range []*held{shared, five, one, two, three, four} {
		h.release()
	}
	b.takes("n")
	// Who is alone keeps all of them.
	h := b.hold("n")
	b.expect(75, "run", "--slots", "1000", "n", "--", "touch", b.file("witness"))
	b.expect(75, "run", "--slots", "3", "--wait=0.05", "n", "--", "touch", b.file("witness"))
	b.notRun()
	h.release()
	// No slot leaks into a command that has none.
	if o := b.finish(b.sole("run", "--slots", "2", "n", "--", binary, "run", "m", "--", "sh", "-c", "echo $SOLE_SLOT.")); o.stdout != ".\n" {
		t.Errorf("%v", o)
	}
}

func TestActOnOneSlot(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	all := []*held{}
	for range 3 {
		all = append(all, b.start(b.signals("--slots", "3")))
	}
	b.expect(0, "signal", "--slot", "2", "n", "USR1")
	b.expect(0, "reload", "--slot", "3", "n")
	b.expect(0, "signal", "n", "USR2")
	for i, want := range [][]string{{"12"}, {"10", "12"}, {"1", "12"}} {
		for _, n := range want {
			if got := all[i].line(); got != "got "+n+".\n" {
				t.Errorf("slot %d: %q, want %s", i+1, got, n)
			}
		}
	}
	b.expect(3, "signal", "--slot", "4", "n", "USR1")
	b.expect(0, "stop", "--slot", "7", "n") // nobody is there
	b.expect(0, "stop", "--grace", "0.1", "--slot", "2", "n")
	if o := all[1].wait(); o.signal != syscall.SIGKILL {
		t.Errorf("%v", o)
	}
	b.slots(1, 3)
	for _, i := range []int{0, 2} {
		if !alive(all[i].pid) {
			t.Errorf("slot %d was ended too", i+1)
		}
	}
	b.slot(3, 2).release()
	b.expect(0, "stop", "--grace", "0.1", "n")
	for _, i := range []int{0, 2} {
		if o := all[i].wait(); o.signal != syscall.SIGKILL {
			t.Errorf("%v", o)
		}
	}
	b.takes("n")
}

// A killed holder frees its slot, one whose supervisor was killed keeps it, and stop reaches
// that one only.
func TestSlotsOfTheKilled(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two, three := b.slot(3, 1), b.slot(3, 2), b.slot(3, 3)
	b.expect(0, "signal", "--slot", "1", "n", "KILL")
	if o := one.wait(); o.signal != syscall.SIGKILL {
		t.Errorf("%v", o)
	}
	b.slots(2, 3)
	one = b.slot(3, 1)

	must(t, two.Process.Kill())
	two.wait()
	st := b.slots(1, 2, 3)
	if h := st.holders()[1]; !h.Orphaned || h.PID != 0 || h.ChildPID != two.pid || len(h.Leftover) > 0 && !slices.Equal(h.Leftover, []int{two.pid}) {
		t.Errorf("the orphaned one: %+v", h)
	}
	for _, i := range []int{0, 2} {
		if h := st.holders()[i]; h.Orphaned || len(h.Leftover) > 0 {
			t.Errorf("slot %d: %+v", h.Slot, h)
		}
	}
	mustContain(t, b.expect(0, "status", "n").stdout, "orphaned")
	mustContain(t, b.expect(0, "ls").stdout, "orphaned")
	b.expect(75, "run", "--slots", "3", "n", "--", "touch", b.file("witness"))
	b.notRun()
	b.expect(0, "stop", "--slot", "2", "n")
	if alive(two.pid) {
		t.Error("it lives")
	}
	b.slots(1, 3)
	for _, h := range []*held{one, three} {
		if !alive(h.pid) || !alive(h.Process.Pid) {
			t.Error("another one was ended too")
		}
	}
	two = b.slot(3, 2)
	for _, h := range []*held{one, two, three} {
		h.release()
	}
	b.takes("n")
}

// A daemon that keeps a slot with --until tree is its own run's, not another's.
func TestLeftoverOfASlot(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	b := newBox(t)
	one := b.slot(2, 1)
	two, fifo := b.daemon("--slots", "2", "--until", "tree", "n")
	b.eventually("the command's end in status", func() bool { return b.status("n").holders()[1].ChildPID == 0 })
	st := b.slots(1, 2)
	if h := st.holders()[1]; !slices.Equal(h.Leftover, []int{two.pid}) || h.PID != two.Process.Pid {
		t.Errorf("%+v", h)
	}
	b.expect(0, "stop", "--slot", "2", "n")
	if o := two.wait(); o.code != 0 {
		t.Errorf("%v", o)
	}
	endDaemon(two.pid, fifo)
	b.slots(1)
	if !alive(one.Process.Pid) || !alive(one.pid) {
		t.Error("stop ended the other slot")
	}
	one.release()
	b.takes("n")
}

// Waiters for slots get whichever is free first, in their order.
func TestSlotWaiters(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two := b.slot(2, 1), b.slot(2, 2)
	gates := make([]string, 5)
	w := make([]*launched, 5)
	for i := range w {
		gates[i] = b.fifo(fmt.Sprintf("gate%d", i))
		w[i] = b.launch(b.sole("run", "--wait", "--slots", "2", "n", "--", "sh", "-c",
			`echo "$0:$SOLE_SLOT" >>"$1"; read -r x <"$2"`, strconv.Itoa(i), b.file("order"), gates[i]))
		b.waiters("n", i+1)
	}
	mustContain(t, b.expect(75, "run", "--slots", "2", "n", "--", "touch", b.file("witness")).stderr, "5 waiting")
	ran := func(want ...string) {
		t.Helper()
		b.eventually(fmt.Sprint("ran ", want), func() bool { return len(b.words("order")) >= len(want) })
		if got := b.words("order"); !slices.Equal(got, want) {
			t.Errorf("ran %v, want %v", got, want)
		}
	}
	open := func(i int) {
		t.Helper()
		b.finish(b.command("sh", "-c", `echo >"$0"`, gates[i]))
		if o := w[i].wait(); o.code != 0 {
			t.Errorf("waiter %d: %v", i, o)
		}
	}
	two.release()
	ran("0:2")
	mustContain(t, b.expect(75, "run", "--slots", "2", "n", "--", "touch", b.file("witness")).stderr, "4 waiting")
	one.release()
	ran("0:2", "1:1")
	must(t, w[2].Process.Kill()) // the first in the line
	b.waiters("n", 2)
	open(1)
	ran("0:2", "1:1", "3:1")
	// A writer that comes now is before the last one? No: that one came earlier.
	writer := b.launch(b.sole(append([]string{"run", "--wait", "n"}, b.say("writer")...)...))
	b.waiters("n", 2)
	late := b.launch(b.sole(append([]string{"run", "--wait", "--slots", "2", "n"}, b.say("late")...)...))
	b.waiters("n", 3)
	open(0)
	ran("0:2", "1:1", "3:1", "4:2")
	open(3)
	b.notRun()
	ran("0:2", "1:1", "3:1", "4:2")
	open(4)
	for _, l := range []*launched{writer, late} {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
	ran("0:2", "1:1", "3:1", "4:2", "writer", "late")
	b.takes("n")
}

// Of starts at once as many get in as there are slots, each in one of its own.
func TestSlotStorm(t *testing.T) {
	t.Parallel()
	need(t, "flock", "util-linux")
	b := newBox(t)
	const slots, n = 3, 24
	// The witness: a lock on a file for each slot, which ends with the command.
	const script = `[ "$SOLE_SLOT" -ge 1 ] && [ "$SOLE_SLOT" -le 3 ] || echo "slot $SOLE_SLOT" >>"$0/violations"
		exec 9>>"$0/slot$SOLE_SLOT"; flock -n 9 || echo overlap >>"$0/violations"
		echo x >>"$0/order"; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done`
	var all []*launched
	for i := range n {
		args := []string{"run", "--slots", strconv.Itoa(slots), "n"}
		if i%2 == 0 {
			args = slices.Insert(args, 1, "--wait")
		}
		all = append(all, b.launch(b.sole(append(args, "--", "sh", "-c", script, b.work)...)))
	}
	ran := 0
	for i, l := range all {
		o := l.wait()
		switch {
		case o.code == 0:
			ran++
		case i%2 == 0 || o.code != 75:
			t.Errorf("start %d: %v", i, o)
		}
	}
	if got := len(b.words("order")); got != ran || ran < n/2 {
		t.Errorf("%d ran, %d say so", got, ran)
	}
	b.noOverlap()
	b.takes("n")
}

// One that waits for a slot and was stopped goes before those that came later, also when one of
// them gives the slots out meanwhile, and another, who wants the name alone, waits between them:
// each would wait for the next one.
func TestContinuedSlotWaiterIsNotBehindALaterOne(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	wait := func(word string, flags ...string) *launched {
		t.Helper()
		n := b.status("n").Waiters
		l := b.launch(b.sole(append(append(append([]string{"run", "--wait"}, flags...), "n"), b.say(word)...)...))
		b.waiters("n", n+1)
		b.eventually("it is blocked", func() bool { return blockedIn(l.Process.Pid, syscall.SYS_FLOCK) > 0 })
		return l
	}
	first := wait("first", "--slots", "2")
	stopped := wait("stopped", "--slots", "2")
	b.freeze(stopped.Process)
	alone := wait("alone")
	later := wait("later", "--slots", "2")
	must(t, first.Process.Kill())
	b.waiters("n", 3)
	b.eventually("a later one gives the slots out", func() bool {
		return slices.Equal(flockedBy(filepath.Join(b.dir, "n.seats")), []int{later.Process.Pid})
	})
	must(t, stopped.Process.Signal(syscall.SIGCONT))
	b.eventually("it goes on", func() bool { return blockedIn(stopped.Process.Pid, syscall.SYS_FLOCK) > 0 })
	h.release()
	for _, l := range []*launched{stopped, alone, later} {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%q: %v", l.Args, o)
		}
	}
	if got := b.words("order"); !slices.Equal(got, []string{"stopped", "alone", "later"}) {
		t.Errorf("they ran in the order %v", got)
	}
	b.takes("n")
}
