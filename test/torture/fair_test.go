//go:build linux

package torture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/queue"
)

// ticks is the CPU time that a process has used, user and system.
func ticks(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	user, _ := strconv.Atoi(string(f[11]))
	system, _ := strconv.Atoi(string(f[12]))
	return user + system
}

// queueOf is a descriptor for looking at the queue of a name.
func queueOf(t *testing.T, dir, name string) int {
	t.Helper()
	fd, err := unix.Open(filepath.Join(dir, name+".lock"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// until polls for what nobody announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(stuck); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", stuck, what)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

const waitThenLine = "SOLE_TORTURE_WAITERS"

// waitInProcess has n goroutines wait for the name, one after the other, and writes a line
// for each as it gets it. It ends when all had it.
func waitInProcess() int {
	n, _ := strconv.Atoi(os.Getenv(waitThenLine))
	dir := os.Getenv("SOLE_DIR")
	var opts []sole.Option
	if s, _ := strconv.Atoi(os.Getenv("SOLE_TORTURE_SLOTS")); s > 0 {
		opts = append(opts, sole.Slots(s))
	}
	order, err := os.OpenFile(os.Getenv("W")+"/order", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	look, err := unix.Open(filepath.Join(dir, "n.lock"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var all sync.WaitGroup
	var failed atomic.Int32
	for i := range n {
		all.Go(func() {
			l, err := sole.Acquire(context.Background(), "n", opts...)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				failed.Add(1)
				return
			}
			fmt.Fprintln(order, i)
			l.Release()
		})
		// The ticket comes first; those for slots stand in line at another file.
		for {
			if len(opts) > 0 {
				if queue.Count(look) == i+1 {
					break
				}
			} else if b, err := blockedOn(filepath.Join(dir, "n.lock")); err != nil || b == i+1 {
				break
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
	fmt.Println("all wait")
	all.Wait()
	return int(failed.Load())
}

// A thousand wait without using the CPU, are served in the order of their arrival, and
// nobody who comes later, waiting or not, gets in between.
func TestThousandWaiters(t *testing.T) {
	n := 300 // the kernel's list of a thousand takes a while to read
	if full() {
		n = 1000
	}
	repeat(t, 1, 5, func(int) { thousandWaiters(t, n, 0) })
}

// Waiters for slots, in one process: the first of them has a thread a slot.
func TestHundredSlotWaiters(t *testing.T) {
	repeat(t, 1, 5, func(int) { thousandWaiters(t, 100, 2) })
}

func thousandWaiters(t *testing.T, n, slots int) {
	dir, w := t.TempDir(), t.TempDir()
	var opts []sole.Option
	flags := []string{"run"}
	if slots > 0 {
		opts = append(opts, sole.Slots(slots))
		flags = append(flags, fmt.Sprintf("--slots=%d", slots))
	}
	var locks []*sole.Lock
	for range max(slots, 1) {
		lock, err := sole.TryAcquire("n", append(opts, sole.Dir(dir))...)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Release()
		locks = append(locks, lock)
	}
	look := queueOf(t, dir, "n")

	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), "SOLE_DIR="+dir, "W="+w, waitThenLine+"="+strconv.Itoa(n), "SOLE_TORTURE_SLOTS="+strconv.Itoa(slots))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	defer func() {
		if !done {
			c.Process.Kill()
			c.Wait()
		}
	}()
	timer := time.AfterFunc(stuck, func() { c.Process.Kill() })
	defer timer.Stop()
	began := time.Now()
	if got, err := readLine(out); got != "all wait\n" {
		t.Fatalf("%q, %v", got, err)
	}
	if got := queue.Count(look); got != n {
		t.Fatalf("%d of %d wait", got, n)
	}

	t.Logf("wait after %s", time.Since(began))
	// No CPU. The runtime settles first; then a second is quiet.
	quiet := false
	for range 10 {
		before := ticks(t, c.Process.Pid)
		time.Sleep(time.Second)
		if used := ticks(t, c.Process.Pid) - before; used == 0 {
			quiet = true
			break
		}
	}
	if !quiet {
		t.Errorf("%d waiters use the CPU", n)
	}

	// Newcomers hammer while the name is handed on.
	over := make(chan struct{})
	var newcomers sync.WaitGroup
	var tries, waited atomic.Int32
	stop := sync.OnceFunc(func() { close(over); newcomers.Wait() })
	defer stop()
	newcomers.Go(func() { // by the library, without waiting
		for {
			select {
			case <-over:
				return
			default:
			}
			l, err := sole.TryAcquire("n", append(opts, sole.Dir(dir))...)
			tries.Add(1)
			var busy *sole.BusyError
			switch {
			case err == nil:
				late(w, "try")
				l.Release()
			case !errors.As(err, &busy):
				t.Error(err)
				return
			}
		}
	})
	newcomers.Go(func() { // by the program, without and with waiting
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			default:
			}
			args := flags
			if i%2 == 1 {
				args = append(args[:len(args):len(args)], "--wait")
			}
			args = append(args[:len(args):len(args)], "n", "--", "/bin/sh", "-c", `echo late >>"$0"`, w+"/order")
			r := ended(soleCmd(dir, args...).Run())
			if r.code != 0 && r.code != 75 {
				t.Errorf("a newcomer: exit %d %s", r.code, r.signal)
			}
			waited.Add(1)
		}
	})
	until(t, "newcomers", func() bool { return tries.Load() > 3 })
	began = time.Now()
	// Of several slots one is handed on: who gets which at the same time cannot be told.
	if err := locks[len(locks)-1].Release(); err != nil {
		t.Fatal(err)
	}
	r := ended(c.Wait())
	t.Logf("served in %s", time.Since(began))
	done = true
	stop()
	if r.code != 0 {
		t.Errorf("the waiters: exit %d %s", r.code, r.signal)
	}
	order := lines(w + "/order")
	if len(order) < n {
		t.Fatalf("%d of %d were served", len(order), n)
	}
	misplaced(t, order, n)
	t.Logf("%d newcomers that did not wait, %d processes, beside %d hand-overs", tries.Load(), waited.Load(), n)
}

// misplaced reports who was not served in its turn.
func misplaced(t *testing.T, order []string, n int) {
	t.Helper()
	inversions := 0
	for i, o := range order[:n] {
		if o != strconv.Itoa(i) {
			if inversions++; inversions < 5 {
				t.Errorf("%s was served as number %d", o, i)
			}
		}
	}
	if inversions > 0 {
		t.Errorf("%d of %d out of turn", inversions, n)
	}
}

// late writes down that a newcomer has the name.
func late(w, what string) {
	if f, err := os.OpenFile(w+"/order", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err == nil {
		fmt.Fprintln(f, what)
		f.Close()
	}
}

func readLine(r interface{ Read([]byte) (int, error) }) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil {
			return string(line), err
		}
		if line = append(line, b[0]); b[0] == '\n' {
			return string(line), nil
		}
	}
}

// Of a hundred processes that wait some are killed, stopped, and cancelled: the others are
// served in their order, and those that were stopped when they go on.
func TestWaitersThatAreDisturbed(t *testing.T) {
	repeat(t, 1, 10, func(int) { disturbedWaiters(t, 60) })
}

func disturbedWaiters(t *testing.T, n int) {
	dir, w := t.TempDir(), t.TempDir()
	lock, err := sole.TryAcquire("n", sole.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	look := queueOf(t, dir, "n")
	all := make([]*exec.Cmd, n)
	ends := make([]chan result, n)
	defer func() {
		for i, c := range all {
			if c != nil && t.Failed() {
				c.Process.Kill()
				<-ends[i]
			}
		}
	}()
	for i := range n {
		c := soleCmd(dir, "run", "--wait", "n", "--", "/bin/sh", "-c", `echo "$0" >>"$1"`, strconv.Itoa(i), w+"/order")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all[i], ends[i] = c, make(chan result, 1)
		go func() { ends[i] <- ended(c.Wait()); close(ends[i]) }()
		until(t, "it waits", func() bool { return queue.Count(look) == i+1 })
	}
	killed, stopped := 0, 0
	for i, c := range all {
		sig := []unix.Signal{0, unix.SIGKILL, unix.SIGSTOP, unix.SIGTERM, 0, unix.SIGSTOP}[i%6]
		if sig == 0 {
			continue
		}
		if err := unix.Kill(c.Process.Pid, sig); err != nil {
			t.Fatal(err)
		}
		if sig == unix.SIGSTOP {
			stopped++
		} else {
			killed++
			<-ends[i]
		}
	}
	until(t, "they are gone", func() bool { return queue.Count(look) == n-killed })
	until(t, "they are stopped", func() bool {
		list, err := queue.List(look)
		if err != nil {
			t.Fatal(err)
		}
		s := 0
		for _, w := range list {
			if w.Stopped {
				s++
			}
		}
		return s == stopped
	})
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if i%6 == 0 || i%6 == 4 {
			if r := <-ends[i]; r.code != 0 {
				t.Errorf("waiter %d: exit %d %s", i, r.code, r.signal)
			}
		}
	}
	// One that does not wait gets in beside stopped ones.
	verify(t, dir, "n")
	// They go on, all at once, while the name is held: by their arrival.
	if lock, err = sole.TryAcquire("n", sole.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	for i := n - 1; i >= 0; i-- {
		if i%6 == 2 || i%6 == 5 {
			if err := unix.Kill(all[i].Process.Pid, unix.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "they go on", func() bool {
		list, err := queue.List(look)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			if w.Stopped {
				return false
			}
		}
		return true
	})
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if i%6 == 2 || i%6 == 5 {
			if r := <-ends[i]; r.code != 0 {
				t.Errorf("waiter %d: exit %d %s", i, r.code, r.signal)
			}
		}
	}
	var want []string
	for _, rests := range [][2]int{{0, 4}, {2, 5}} {
		for i := range n {
			if i%6 == rests[0] || i%6 == rests[1] {
				want = append(want, strconv.Itoa(i))
			}
		}
	}
	if got := lines(w + "/order"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("served %v\nwant   %v", got, want)
	}
	verify(t, dir, "n")
}
