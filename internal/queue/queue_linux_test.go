package queue_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/queue"
)

const helperEnv = "SOLE_QUEUE_TEST_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(helperEnv); path != "" {
		takeUntilEOF(path)
		return
	}
	os.Exit(m.Run())
}

// takeUntilEOF takes a ticket, says which, and keeps it until standard input ends.
func takeUntilEOF(path string) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	class, _ := strconv.Atoi(os.Getenv("SOLE_QUEUE_TEST_CLASS"))
	k, err := queue.Take(fd, queue.Class(class), queue.Arrive())
	if err != nil {
		panic(err)
	}
	if os.Getenv("SOLE_QUEUE_TEST_GATE") != "" {
		if err := queue.AtGate(fd); err != nil {
			panic(err)
		}
	}
	fmt.Println(int64(k.Arrived()))
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

func open(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// take takes a ticket on a description of its own.
func take(t *testing.T, path string, class queue.Class, at time.Duration) *queue.Ticket {
	t.Helper()
	k, err := queue.Take(open(t, path), class, at)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ahead(t *testing.T, fd int, class queue.Class, at time.Duration) bool {
	t.Helper()
	found, err := queue.Ahead(fd, class, at)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Who goes before whom, for one that comes at 100.
func TestWhoIsAhead(t *testing.T) {
	const us = 100
	for _, c := range []struct {
		class, other queue.Class
		at           time.Duration
		want         bool
	}{
		{queue.Exclusive, queue.Exclusive, 99, true},
		{queue.Exclusive, queue.Exclusive, 101, false},
		{queue.Exclusive, queue.Shared, 99, true},
		{queue.Exclusive, queue.Shared, 101, false},
		{queue.Exclusive, queue.Slot, 99, true},
		{queue.Exclusive, queue.Slot, 101, false},
		{queue.Exclusive, queue.Front, 99, true},
		{queue.Exclusive, queue.Front, 101, true}, // it goes before all

		{queue.Shared, queue.Exclusive, 99, true},
		{queue.Shared, queue.Exclusive, 101, false},
		{queue.Shared, queue.Shared, 99, false}, // they go together
		{queue.Shared, queue.Slot, 99, false},
		{queue.Shared, queue.Front, 101, true},

		{queue.Slot, queue.Exclusive, 99, true},
		{queue.Slot, queue.Exclusive, 101, false},
		{queue.Slot, queue.Shared, 99, false},
		{queue.Slot, queue.Slot, 99, false}, // SlotAhead is for those
		{queue.Slot, queue.Front, 101, true},

		{queue.Front, queue.Exclusive, 99, false},
		{queue.Front, queue.Shared, 99, false},
		{queue.Front, queue.Slot, 99, false},
		{queue.Front, queue.Front, 99, true},
		{queue.Front, queue.Front, 101, false},
	} {
		path := filepath.Join(t.TempDir(), "f")
		take(t, path, c.other, c.at)
		if got := ahead(t, open(t, path), c.class, us); got != c.want {
			t.Errorf("class %d at %d behind class %d at %d: ahead %v, want %v", c.class, us, c.other, c.at, got, c.want)
		}
	}
}

func TestSlotAheadSeesSlotsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	sees := func(at time.Duration) bool {
		found, err := queue.SlotAhead(look, at)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, c := range []queue.Class{queue.Exclusive, queue.Shared, queue.Front} {
		take(t, path, c, 1)
	}
	if sees(100) {
		t.Error("a waiter for something else was taken for one for a slot")
	}
	take(t, path, queue.Slot, 50)
	if !sees(100) || !sees(51) || sees(50) || sees(10) {
		t.Errorf("at 100, 51, 50, 10: %v %v %v %v", sees(100), sees(51), sees(50), sees(10))
	}
}

// One's own ticket is not ahead, and ends with Return; another's ends with its descriptor.
func TestTicketEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	mine := open(t, path)
	k, err := queue.Take(mine, queue.Exclusive, 10)
	if err != nil {
		t.Fatal(err)
	}
	if ahead(t, mine, queue.Exclusive, 100) {
		t.Error("its own ticket is ahead of it")
	}
	if queue.Count(look) != 1 || !queue.Any(look) {
		t.Errorf("%d tickets", queue.Count(look))
	}
	k.Return()
	if queue.Count(look) != 0 || queue.Any(look) {
		t.Errorf("%d tickets after the return", queue.Count(look))
	}
	if _, err := queue.Take(mine, queue.Shared, 20); err != nil {
		t.Fatal(err)
	}
	if queue.Count(look) != 1 {
		t.Errorf("%d tickets", queue.Count(look))
	}
	if err := unix.Close(mine); err != nil {
		t.Fatal(err)
	}
	if queue.Any(look) {
		t.Error("a ticket outlived its descriptor")
	}
	if list, err := queue.List(look); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// Two that come at the same time both have a ticket, of whatever class they are.
func TestTwoInOneNanosecond(t *testing.T) {
	for _, class := range []queue.Class{queue.Exclusive, queue.Shared, queue.Slot, queue.Front} {
		path := filepath.Join(t.TempDir(), "f")
		a, b := take(t, path, class, 1000), take(t, path, class, 1000)
		if a.Arrived() == b.Arrived() {
			t.Errorf("class %d: both at %d", class, a.Arrived())
		}
		look := open(t, path)
		if n := queue.Count(look); n != 2 {
			t.Errorf("class %d: %d are counted", class, n)
		}
		list, err := queue.List(look)
		if err != nil || len(list) != 2 {
			t.Errorf("class %d: %v, %v", class, list, err)
		}
	}
}

func TestArrivalsAreInOrder(t *testing.T) {
	const each = 10000
	results := make(chan []time.Duration)
	for range 4 {
		go func() {
			all := make([]time.Duration, each)
			for i := range all {
				all[i] = queue.Arrive()
			}
			results <- all
		}()
	}
	seen := make(map[time.Duration]bool)
	for range 4 {
		all := <-results
		if !slices.IsSorted(all) {
			t.Error("time went back")
		}
		for _, at := range all {
			if seen[at] {
				t.Errorf("two at %d", at)
			}
			seen[at] = true
		}
	}
}

func TestListIsInTheOrderOfService(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	take(t, path, queue.Slot, 1)
	take(t, path, queue.Exclusive, 3)
	take(t, path, queue.Front, 9)
	take(t, path, queue.Shared, 2)
	take(t, path, queue.Front, 8)
	take(t, path, queue.Exclusive, 4)
	list, err := queue.List(open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	want := []queue.Waiter{
		{PID: pid, Class: queue.Front, Since: 8}, {PID: pid, Class: queue.Front, Since: 9},
		{PID: pid, Class: queue.Slot, Since: 1}, {PID: pid, Class: queue.Shared, Since: 2},
		{PID: pid, Class: queue.Exclusive, Since: 3}, {PID: pid, Class: queue.Exclusive, Since: 4},
	}
	if !slices.Equal(list, want) {
		t.Errorf("%+v", list)
	}
}

// waiter is a process of its own with a ticket.
type waiter struct {
	*exec.Cmd
	arrived time.Duration
	stdin   *os.File
}

func start(t *testing.T, path string, class queue.Class) *waiter {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), helperEnv+"="+path, fmt.Sprintf("SOLE_QUEUE_TEST_CLASS=%d", class))
	c.Stdin, c.Stderr = r, os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	t.Cleanup(func() { _ = w.Close(); _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &waiter{c, time.Duration(at), w}
}

// signal sends a signal that stops it or has it go on, and waits until it has.
func (w *waiter) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := w.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		state := stat[strings.LastIndexByte(string(stat), ')')+2]
		if (state == 'T') == (sig == syscall.SIGSTOP) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("state %c after %v", state, sig)
		}
		time.Sleep(time.Millisecond)
	}
}

// A stopped process keeps its ticket and is ahead of nobody until it goes on.
func TestStoppedWaiterDoesNotCount(t *testing.T) {
	for _, class := range []queue.Class{queue.Exclusive, queue.Front} {
		path := filepath.Join(t.TempDir(), "f")
		look := open(t, path)
		w := start(t, path, class)
		late := queue.Arrive()
		if !ahead(t, look, queue.Exclusive, late) || !ahead(t, look, queue.Shared, late) || !ahead(t, look, queue.Slot, late) {
			t.Fatal("it is not ahead")
		}
		w.signal(t, syscall.SIGSTOP)
		for _, c := range []queue.Class{queue.Exclusive, queue.Shared, queue.Slot} {
			if ahead(t, look, c, late) {
				t.Errorf("a stopped one is ahead of class %d", c)
			}
		}
		list, err := queue.List(look)
		if err != nil || len(list) != 1 || !list[0].Stopped || list[0].PID != w.Process.Pid || list[0].Since != w.arrived || list[0].Class != class {
			t.Errorf("%+v, %v", list, err)
		}
		// One that runs, between others that are stopped, is found.
		second := start(t, path, queue.Exclusive)
		third := start(t, path, queue.Exclusive)
		third.signal(t, syscall.SIGSTOP)
		if !ahead(t, look, queue.Exclusive, queue.Arrive()) {
			t.Error("a running one behind a stopped one is not seen")
		}
		second.signal(t, syscall.SIGSTOP)
		if ahead(t, look, queue.Exclusive, queue.Arrive()) {
			t.Error("all are stopped")
		}
		w.signal(t, syscall.SIGCONT)
		if !ahead(t, look, queue.Exclusive, late) {
			t.Error("it went on and is not ahead")
		}
	}
}

// One waits for the last one before it, which is woken before it.
func TestTicketEndsWithItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	take(t, path, queue.Exclusive, 1)
	take(t, path, queue.Front, queue.Arrive())
	w := start(t, path, queue.Exclusive)
	late := queue.Arrive()
	take(t, path, queue.Exclusive, queue.Arrive())
	type result struct {
		waited bool
		err    error
	}
	done := make(chan result, 1)
	await := func(ctx context.Context) {
		waited, err := queue.Await(ctx, look, queue.Exclusive, late)
		done <- result{waited, err}
	}
	go await(context.Background())
	if err := w.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-done:
		if r.err != nil || !r.waited {
			t.Error(r)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Await does not see the end of a killed waiter")
	}
	if n := queue.Count(look); n != 3 {
		t.Errorf("%d still count", n)
	}

	// A cancelled Await leaves nothing.
	_ = start(t, path, queue.Exclusive)
	late = queue.Arrive()
	ctx, cancel := context.WithCancel(t.Context())
	go await(ctx)
	cancel()
	if r := <-done; r.err != context.Canceled {
		t.Error(r)
	}
	other := open(t, path)
	if n := queue.Count(other); n != 4 {
		t.Errorf("%d wait", n)
	}
}

// Await goes on, some time later, when the one before was stopped, and there is no other or
// another one before.
func TestAwaitSeesThatOneWasStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	if waited, err := queue.Await(t.Context(), look, queue.Exclusive, queue.Arrive()); waited || err != nil {
		t.Errorf("nobody is there: %v, %v", waited, err)
	}
	for _, class := range []queue.Class{queue.Exclusive, queue.Front} {
		w := start(t, path, class)
		late := queue.Arrive()
		done := make(chan error, 1)
		go func() { _, err := queue.Await(t.Context(), look, queue.Shared, late); done <- err }()
		w.signal(t, syscall.SIGSTOP)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("Await does not see that the waiter was stopped")
		}
		if waited, err := queue.Await(t.Context(), look, queue.Shared, late); waited || err != nil {
			t.Errorf("only one is there, and it is stopped: %v, %v", waited, err)
		}
	}
}

// Those who wait for slots are in nobody's way while the one is stopped that gives them out,
// wherever it stands.
func TestStoppedAtTheGate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	take(t, path, queue.Slot, 1)
	if !ahead(t, look, queue.Exclusive, 100) {
		t.Error("one for a slot is not ahead")
	}
	t.Setenv("SOLE_QUEUE_TEST_GATE", "1")
	w := start(t, path, queue.Slot)
	if !ahead(t, look, queue.Exclusive, 100) {
		t.Error("one for a slot is not ahead")
	}
	w.signal(t, syscall.SIGSTOP)
	if ahead(t, look, queue.Exclusive, 100) {
		t.Error("one is ahead that waits for a stopped one")
	}
	if found, err := queue.SlotAhead(look, 100); !found || err != nil {
		t.Error("of those for slots it is not ahead", err)
	}
	w.signal(t, syscall.SIGCONT)
	if !ahead(t, look, queue.Exclusive, 100) {
		t.Error("one for a slot is not ahead")
	}
}

func TestThousandTickets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	look := open(t, path)
	const n = 1000
	at := rand.Perm(n)
	for _, i := range at {
		take(t, path, []queue.Class{queue.Exclusive, queue.Shared}[i%2], time.Duration(i+1)*time.Millisecond)
	}
	if got := queue.Count(look); got != n {
		t.Errorf("%d are counted", got)
	}
	list, err := queue.List(look)
	if err != nil || len(list) != n {
		t.Fatalf("%d, %v", len(list), err)
	}
	for i, w := range list {
		if w.Since != time.Duration(i+1)*time.Millisecond || w.PID != os.Getpid() || w.Class != []queue.Class{queue.Exclusive, queue.Shared}[i%2] {
			t.Fatalf("number %d is %+v", i, w)
		}
	}
	for i := range n {
		if got, want := ahead(t, look, queue.Exclusive, time.Duration(i+1)*time.Millisecond), i > 0; got != want {
			t.Fatalf("ahead of number %d: %v", i, got)
		}
	}
}
