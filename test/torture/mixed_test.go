//go:build linux

package torture

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// Starts of all policies at once, with supervisors, commands and waiters killed, stopped and
// continued at random: nobody ever runs beside one whom it excludes, nobody hangs, and afterwards
// the name is free.
func TestAllPoliciesMixed(t *testing.T) {
	m := newMix(t, t.TempDir())
	// Many leave nearly no moment in which nobody waits.
	rounds := repeat(t, 2, 40, func(i int) { m.round([]int{14, 4, 8}[i%3], 3*time.Second) })
	if len(m.violations()) > 0 {
		t.Errorf("%d overlaps: %v", len(m.violations()), m.violations())
	}
	m.numbers()
	t.Logf("%d rounds; ends %v; ran %v", rounds, m.ends, m.ran())
	for _, kind := range []string{"alone", "shared", "slot"} {
		if m.ran()[kind] == 0 {
			t.Errorf("no %s start ran", kind)
		}
	}
}

// The witness of the above sees two that do not know of each other.
func TestAllPoliciesMixedControl(t *testing.T) {
	m := newMix(t, t.TempDir())
	other := t.TempDir() // of every other start
	m.dir = func(i int) string { return []string{m.names, other}[i%2] }
	for range 5 {
		if m.round(8, 2*time.Second); len(m.violations()) > 0 {
			return
		}
	}
	t.Error("starts in two directories excluded each other")
}

// mix is starters side by side.
type mix struct {
	*testing.T
	names, w string
	dir      func(i int) string // where the i-th start has its names
	self     string

	mu      sync.Mutex
	live    map[*exec.Cmd]bool
	stopped map[*exec.Cmd]bool
	ends    map[string]int
}

func newMix(t *testing.T, names string) *mix {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &mix{T: t, names: names, w: t.TempDir(), self: self, dir: func(int) string { return names },
		live: map[*exec.Cmd]bool{}, stopped: map[*exec.Cmd]bool{}, ends: map[string]int{}}
}

// policy is the flags of a start, and whether it is to run alone.
func policy(r *rand.Rand) (flags []string, kind string) {
	maybe := func(n int, f ...string) {
		if r.IntN(n) == 0 {
			flags = append(flags, f...)
		}
	}
	kind = "alone"
	switch r.IntN(10) {
	case 0, 1:
		maybe(2, "--wait")
	case 2:
		flags = append(flags, fmt.Sprintf("--wait=%.3f", r.Float64()/10))
	case 3:
		flags = append(flags, "--queue")
	case 4:
		flags = append(flags, "--replace", "--grace", "0.02")
		maybe(3, "--older-than", "0.01")
		maybe(3, "--kill-tree")
		return flags, kind
	case 5, 6:
		flags, kind = append(flags, "--shared"), "shared"
		maybe(2, "--wait")
	default:
		flags, kind = append(flags, fmt.Sprintf("--slots=%d", 1+r.IntN(4))), "slot"
		maybe(2, "--wait")
		maybe(6, "--queue")
	}
	if r.IntN(4) == 0 {
		return append(flags, "--exec"), kind
	}
	maybe(6, "--max-time", "0.01", "--grace", "0.01")
	return flags, kind
}

// round lets so many starters and their enemy loose for a while.
func (m *mix) round(starters int, d time.Duration) {
	over := make(chan struct{})
	var all, chaos sync.WaitGroup
	for i := range starters {
		all.Go(func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), 1))
			for {
				select {
				case <-over:
					return
				default:
				}
				m.start(r, i)
			}
		})
	}
	calm := make(chan struct{})
	chaos.Go(func() { m.harm(calm) })
	time.Sleep(d)
	close(over)
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stuck):
		m.Error("some hang")
		m.mu.Lock()
		for c := range m.live {
			m.Errorf("hangs: %q", c.Args)
			c.Process.Signal(unix.SIGKILL)
		}
		m.mu.Unlock()
	}
	close(calm)
	chaos.Wait()
	<-done
	// Commands whose supervisors were killed may still run.
	until(m.T, "the name is free", func() bool {
		st, err := sole.Inspect("n", sole.Dir(m.names))
		return err == nil && st.State == sole.Free && st.Waiters == 0
	})
	verify(m.T, m.names, "n")
}

// start makes one start, and waits for its end.
func (m *mix) start(r *rand.Rand, i int) {
	flags, kind := policy(r)
	c := soleCmd(m.dir(i), append(append([]string{"run"}, flags...), "n", "--", m.self)...)
	c.Env = append(c.Env, witnessDir+"="+m.w, witnessKind+"="+kind)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	stderr, w, err := os.Pipe() // not closed by the end of the supervisor alone
	if err != nil {
		m.Error(err)
		return
	}
	c.Stderr = w
	read := make(chan struct{})
	go func() { said.ReadFrom(stderr); stderr.Close(); close(read) }()
	if err := c.Start(); err != nil {
		m.Error(err)
		return
	}
	w.Close()
	m.mu.Lock()
	m.live[c] = true
	m.mu.Unlock()
	end := ended(c.Wait())
	m.mu.Lock()
	delete(m.live, c)
	delete(m.stopped, c)
	m.ends[fmt.Sprintf("%d%s", end.code, strings.TrimPrefix(end.signal, "signal:"))]++
	m.mu.Unlock()
	<-read
	if !slices.Contains([]int{-1, 0, 75, 124}, end.code) {
		m.Errorf("%q: exit %d, %q", c.Args, end.code, said.String())
	}
}

// harm kills, stops and continues supervisors, waiters and commands until calm.
func (m *mix) harm(calm <-chan struct{}) {
	for {
		select {
		case <-calm:
			return
		case <-time.After(rand.N(30 * time.Millisecond)):
		}
		if rand.IntN(4) == 0 {
			m.killCommand()
			continue
		}
		m.mu.Lock()
		// Whoever was stopped goes on sooner or later.
		for c := range m.stopped {
			if rand.IntN(2) == 0 {
				c.Process.Signal(unix.SIGCONT)
				delete(m.stopped, c)
			}
		}
		if all := slices.Collect(maps.Keys(m.live)); len(all) > 0 {
			c := all[rand.IntN(len(all))]
			sig := []os.Signal{unix.SIGKILL, unix.SIGKILL, unix.SIGSTOP, unix.SIGSTOP, unix.SIGTERM}[rand.IntN(5)]
			if c.Process.Signal(sig) == nil && sig == unix.SIGSTOP {
				m.stopped[c] = true
			}
		}
		m.mu.Unlock()
	}
}

// killCommand kills one of those that have the witness.
func (m *mix) killCommand() {
	pids := flockers(m.w + "/all")
	if len(pids) == 0 {
		return
	}
	pid := pids[rand.IntN(len(pids))]
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if slices.Contains(flockers(m.w+"/all"), pid) { // so it is the pidfd's
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

func (m *mix) violations() []string { return lines(m.w + "/violations") }

// ran counts the commands of each kind that ran.
func (m *mix) ran() map[string]int {
	n := map[string]int{}
	for _, l := range lines(m.w + "/ran") {
		n[strings.Split(l, ":")[1]]++
	}
	return n
}

// numbers checks that no two runs had the same.
func (m *mix) numbers() {
	seen := map[string]bool{}
	for _, l := range lines(m.w + "/ran") {
		run, _, _ := strings.Cut(l, ":")
		if seen[run] {
			m.Errorf("run %s twice", run)
		}
		seen[run] = true
	}
}
