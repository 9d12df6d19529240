//go:build linux

package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// crowd is processes that wait for the name "n", one after the other, and then each write their
// number down.
type crowd struct {
	*testing.T
	dir, w string
	all    []*exec.Cmd
	ends   []chan result
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{T: t, dir: t.TempDir(), w: t.TempDir()}
	t.Cleanup(func() {
		for i, p := range c.all {
			if len(c.ends[i]) == 0 && p.ProcessState == nil {
				_ = p.Process.Kill()
			}
		}
	})
	return c
}

// line is where they write to.
func (c *crowd) line() string { return filepath.Join(c.w, "order") }

// join starts one that writes the word, and returns when it is blocked.
func (c *crowd) join(word string, flags ...string) *exec.Cmd {
	c.Helper()
	args := append(append([]string{"run", "--wait"}, flags...), "n", "--", "/bin/sh", "-c", `echo "$0" >>"$1"`, word, c.line())
	p := soleCmd(c.dir, args...)
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	end := make(chan result, 1)
	c.all, c.ends = append(c.all, p), append(c.ends, end)
	go func() { end <- ended(p.Wait()) }()
	until(c.T, "it waits", func() bool { return isBlocked(p.Process.Pid) })
	return p
}

// isBlocked reports whether a thread of the process waits in flock(2) or fcntl(2).
func isBlocked(pid int) bool {
	return isIn(pid, "S", unix.SYS_FLOCK, unix.SYS_FCNTL)
}

// isStopped reports whether a thread of the process is stopped in one of those.
func isStopped(pid int) bool {
	return isIn(pid, "T", unix.SYS_FLOCK, unix.SYS_FCNTL)
}

// isIn reports whether a thread of the process is in the state, in one of the system calls.
func isIn(pid int, state string, calls ...int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, t := range tasks {
		call, _ := os.ReadFile(t + "/syscall")
		stat, _ := os.ReadFile(t + "/stat")
		nr, _, _ := strings.Cut(string(call), " ")
		_, rest, _ := strings.Cut(string(stat), ") ")
		if n, err := strconv.Atoi(nr); err == nil && slices.Contains(calls, n) && strings.HasPrefix(rest, state) {
			return true
		}
	}
	return false
}

// allEnd waits for all.
func (c *crowd) allEnd() {
	c.Helper()
	deadline := time.After(stuck)
	for i, end := range c.ends {
		select {
		case r := <-end:
			if r.code != 0 {
				c.Errorf("waiter %d: exit %d %s", i, r.code, r.signal)
			}
		case <-deadline:
			c.Fatalf("waiter %d is not served", i)
		}
	}
}

// quiet checks that there is a second in which each uses no more than so much of the CPU. The
// runtime of each settles first.
func (c *crowd) quiet(allowed time.Duration) {
	c.Helper()
	used := func() (sum time.Duration) {
		for _, p := range c.all {
			sum += cpu(c.T, p.Process.Pid)
		}
		return sum / time.Duration(len(c.all))
	}
	least := time.Hour
	for range 15 {
		before := used()
		time.Sleep(time.Second)
		if least = min(least, used()-before); least <= allowed {
			c.Logf("each of %d waiters uses %s in a second", len(c.all), least)
			return
		}
	}
	c.Errorf("each of %d waiters uses %s of the CPU in each second, allowed are %s", len(c.all), least, allowed)
}

// cpu is the time that the threads of a process have run: to the nanosecond where the kernel
// says so, since a tick is ten milliseconds.
func cpu(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		ns, _, _ := strings.Cut(string(b), " ")
		if d, err := strconv.ParseInt(ns, 10, 64); err == nil {
			sum += time.Duration(d)
		}
	}
	if sum == 0 {
		sum = time.Duration(ticks(t, pid)) * 10 * time.Millisecond
	}
	return sum
}

// newcomers start, without waiting, until stop is called.
func (c *crowd) newcomers(opts []sole.Option, flags ...string) (stop func()) {
	over := make(chan struct{})
	var all sync.WaitGroup
	var tries atomic.Int32
	hammer := func(try func() bool) {
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if !try() {
					return
				}
				tries.Add(1)
			}
		})
	}
	hammer(func() bool {
		l, err := sole.TryAcquire("n", append(opts, sole.Dir(c.dir))...)
		var busy *sole.BusyError
		if err == nil {
			late(c.w, "try")
			l.Release()
		} else if !errors.As(err, &busy) {
			c.Error(err)
			return false
		}
		return true
	})
	args := append(append([]string{"run", "-q"}, flags...), "n", "--", "/bin/sh", "-c", `echo late >>"$0"`, c.line())
	hammer(func() bool {
		r := ended(soleCmd(c.dir, args...).Run())
		if r.code != 0 && r.code != 75 {
			c.Errorf("a newcomer: exit %d %s", r.code, r.signal)
			return false
		}
		return true
	})
	until(c.T, "newcomers", func() bool { return tries.Load() > 3 })
	return sync.OnceFunc(func() { close(over); all.Wait(); c.Logf("%d newcomers", tries.Load()) })
}

// inOrder checks who was served when.
func (c *crowd) inOrder(n int) {
	c.Helper()
	order := lines(c.line())
	if len(order) < n {
		c.Fatalf("%d of %d were served", len(order), n)
	}
	misplaced(c.T, order, n)
}

func many(short int) int {
	if full() {
		return 1000
	}
	return short
}

// A thousand processes wait without using the CPU, are served in their order, and none that
// does not wait gets in between.
func TestThousandProcesses(t *testing.T) {
	for _, kind := range []struct {
		name  string
		flags []string
		opts  []sole.Option
	}{
		{"exclusive", nil, nil},
		{"slots", []string{"--slots=2"}, []sole.Option{sole.Slots(2)}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			c := newCrowd(t)
			var last *sole.Lock
			for range 1 + len(kind.opts) {
				l, err := sole.TryAcquire("n", append(kind.opts, sole.Dir(c.dir))...)
				if err != nil {
					t.Fatal(err)
				}
				defer l.Release()
				last = l
			}
			n := many(120)
			for i := range n {
				c.join(strconv.Itoa(i), kind.flags...)
			}
			if st := status(t, c.dir, "n"); st.Waiters != n || len(st.Waiting) != n || st.Waiting[0].PID != c.all[0].Process.Pid {
				t.Errorf("status counts %d and names %d", st.Waiters, len(st.Waiting))
			}
			c.quiet(10 * time.Microsecond)
			stop := c.newcomers(kind.opts, kind.flags...)
			defer stop()
			if err := last.Release(); err != nil { // of several slots one is handed on
				t.Fatal(err)
			}
			c.allEnd()
			stop()
			c.inOrder(n)
		})
	}
}

// Those that want to share the name and wait behind one who wants it alone use next to nothing,
// although nothing tells them when that one is stopped; and none gets in before it, whether it
// waits or not.
func TestThousandSharersBehindAnExclusiveOne(t *testing.T) {
	c := newCrowd(t)
	reader, err := sole.TryAcquire("n", sole.Dir(c.dir), sole.Shared())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	c.join("0")
	n := many(120)
	for i := range n {
		c.join(strconv.Itoa(i+1), "--shared")
	}
	c.quiet(100 * time.Microsecond)
	stop := c.newcomers([]sole.Option{sole.Shared()}, "--shared")
	defer stop()
	if err := reader.Release(); err != nil {
		t.Fatal(err)
	}
	c.allEnd()
	stop()
	c.inOrder(1)
	verify(t, c.dir, "n")
}

// One that has lost its place in the kernel's queue, as by SIGSTOP, has its turn by its ticket,
// and does not make all others give the lock round at every hand-over.
func TestOneOutOfLine(t *testing.T) {
	for _, flags := range [][]string{nil, {"--slots=1"}} {
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			c := newCrowd(t)
			l, err := sole.TryAcquire("n", sole.Dir(c.dir))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Release()
			n := many(120)
			for i := range n {
				c.join(strconv.Itoa(i), flags...)
			}
			out := c.all[1].Process.Pid // the first has the gate, if there is one
			signal := func(sig unix.Signal, is func(int) bool) {
				if err := unix.Kill(out, sig); err != nil {
					t.Fatal(err)
				}
				until(t, "it is stopped, or goes on", func() bool { return is(out) })
			}
			signal(unix.SIGSTOP, isStopped)
			signal(unix.SIGCONT, isBlocked)
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
			c.allEnd()
			c.inOrder(n)
			var switches int64
			for _, p := range c.all {
				switches += p.ProcessState.SysUsage().(*syscall.Rusage).Nvcsw
			}
			t.Logf("%d waits of a thread for each of %d", switches/int64(n), n)
			// The runtime of a process needs one or two hundred, however many wait.
			if each := switches / int64(n); each > 350 {
				t.Errorf("%d waits of a thread for each hand-over", each)
			}
		})
	}
}
