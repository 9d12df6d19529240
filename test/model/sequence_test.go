//go:build linux

package model

import (
	"slices"
	"strings"
	"syscall"

	"pgregory.net/rapid"
)

// maxWaiters and maxHolders of a name keep a sequence from becoming a crowd.
const (
	maxWaiters = 6
	maxHolders = 5
)

// machine is the program and the model side by side.
type machine struct {
	*world
	names []*name
	floor uint64 // what the numbers of new files go on behind
}

// sequence draws steps, and takes them on both sides.
func sequence(t *rapid.T) {
	m := &machine{world: newWorld(t)}
	for _, n := range []string{"a", "b"} {
		m.names = append(m.names, &name{name: n, look: m.slotOf})
	}
	t.Repeat(map[string]func(*rapid.T){
		"start":             func(t *rapid.T) { m.start(t, false) },
		"start, waiting":    func(t *rapid.T) { m.start(t, true) },
		"start, replacing":  m.replace,
		"wait in vain":      m.waitInVain,
		"end":               m.end,
		"end another":       m.end,
		"kill command":      m.killCommand,
		"kill supervisor":   m.killSupervisor,
		"kill waiter":       m.killWaiter,
		"stop a waiter":     m.suspend,
		"continue a waiter": m.resume,
		"sole stop":         m.stop,
		"sole stop --slot":  m.stopSlot,
		"sole clean":        m.clean,
		"sole ls":           func(*rapid.T) { m.agreeList(m.names) },
	})
	m.drain()
}

func (m *machine) anyName(t *rapid.T) *name { return rapid.SampledFrom(m.names).Draw(t, "name") }

func (m *machine) start(t *rapid.T, wait bool) {
	p := policy{class: rapid.SampledFrom([]class{alone, shared, slotted}).Draw(t, "class"), wait: wait}
	if p.class == slotted {
		p.slots = rapid.IntRange(1, 3).Draw(t, "slots")
	}
	if wait && rapid.IntRange(0, 3).Draw(t, "queue") == 0 {
		p.wait, p.pending = rapid.Bool().Draw(t, "also --wait"), true
	}
	m.begin(t, m.anyName(t), p)
}

func (m *machine) replace(t *rapid.T) {
	m.begin(t, m.anyName(t), policy{class: front, older: rapid.Bool().Draw(t, "older")})
}

// waitInVain waits for a while that is too short.
func (m *machine) waitInVain(t *rapid.T) {
	n := m.anyName(t)
	p := policy{class: rapid.SampledFrom([]class{alone, shared, slotted}).Draw(t, "class"), limited: true}
	if p.class == slotted {
		p.slots = rapid.IntRange(1, 3).Draw(t, "slots")
	}
	m.begin(t, n, p)
}

func (m *machine) begin(t *rapid.T, n *name, p policy) {
	waiting := p.wait || p.pending
	if waiting && len(n.waiters) >= maxWaiters || len(n.holders) >= maxHolders {
		t.Skip("enough")
	}
	s := &start{policy: p, number: len(m.starts) + 1, name: n.name}
	t.Log(s)
	m.spawn(s)
	n.begin(s, m.floor)
	m.agree(n)
}

// one draws a start that pick accepts, and its name.
func (m *machine) one(t *rapid.T, pick func(*name) []*start) (*name, *start) {
	var all []*start
	names := map[*start]*name{}
	for _, n := range m.names {
		for _, s := range pick(n) {
			all = append(all, s)
			names[s] = n
		}
	}
	if len(all) == 0 {
		t.Skip("there is none")
	}
	s := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
	t.Log(s)
	return names[s], s
}

func holders(n *name) []*start { return n.holders }

func (m *machine) end(t *rapid.T) {
	n, s := m.one(t, holders)
	m.finish(n, s, rapid.SampledFrom([]int{0, 1, 75, 255}).Draw(t, "code"))
}

func (m *machine) finish(n *name, s *start, code int) {
	if _, err := s.stdin.WriteString(strings.TrimPrefix(exit(code), "exit ") + "\n"); err != nil {
		m.Fatal(err)
	}
	n.batch = nil
	n.over(s, exit(code))
	n.settle()
	m.agree(n)
}

func (m *machine) kill(pid int, sig syscall.Signal) {
	if err := syscall.Kill(pid, sig); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) killCommand(t *rapid.T) {
	n, s := m.one(t, holders)
	m.kill(s.seen.pid, syscall.SIGKILL)
	n.batch = nil
	n.over(s, "killed")
	n.settle()
	m.agree(n)
}

// killSupervisor makes an orphan of the command.
func (m *machine) killSupervisor(t *rapid.T) {
	n, s := m.one(t, func(n *name) []*start { return without(n.holders, func(s *start) bool { return s.orphaned }) })
	m.kill(s.cmd.Process.Pid, syscall.SIGKILL)
	s.orphaned, s.end = true, "killed"
	m.agree(n)
}

func without(all []*start, drop func(*start) bool) []*start {
	return slices.DeleteFunc(slices.Clone(all), drop)
}

func (m *machine) killWaiter(t *rapid.T) {
	n, s := m.one(t, func(n *name) []*start { return n.waiters })
	sig := syscall.SIGKILL
	if !s.stopped {
		sig = rapid.SampledFrom([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}).Draw(t, "signal")
	}
	m.kill(s.cmd.Process.Pid, sig)
	s.want, s.end = killed, sig.String()
	n.batch = nil
	n.leave(s)
	n.settle()
	m.agree(n)
}

// suspend stops a waiter.
func (m *machine) suspend(t *rapid.T) {
	n, s := m.one(t, func(n *name) []*start {
		return without(n.waiters, func(s *start) bool { return s.stopped })
	})
	m.kill(s.cmd.Process.Pid, syscall.SIGSTOP)
	s.stopped = true
	n.batch = nil
	n.settle()
	m.agree(n)
}

func (m *machine) resume(t *rapid.T) {
	n, s := m.one(t, func(n *name) []*start { return without(n.waiters, func(s *start) bool { return !s.stopped }) })
	m.goOn(n, s)
}

func (m *machine) goOn(n *name, s *start) {
	m.kill(s.cmd.Process.Pid, syscall.SIGCONT)
	s.stopped = false
	n.batch = nil
	n.settle()
	m.agree(n)
}

func (m *machine) stop(t *rapid.T) {
	n := m.anyName(t)
	m.ask(0, "stop", n.name)
	n.batch = nil
	n.terminate(n.holders)
	n.settle()
	m.agree(n)
}

func (m *machine) stopSlot(t *rapid.T) {
	n, s := m.one(t, func(n *name) []*start { return without(n.holders, func(s *start) bool { return s.slot == 0 }) })
	m.ask(0, "stop", "--slot", string(rune('0'+s.slot)), n.name)
	n.batch = nil
	n.terminate([]*start{s})
	n.settle()
	m.agree(n)
}

// clean removes the files of all names that nobody holds or waits for.
func (m *machine) clean(*rapid.T) {
	var want []string
	for _, n := range m.names {
		if n.file && len(n.holders) == 0 {
			m.floor = max(m.floor, n.last)
			if len(n.waiters) == 0 {
				want = append(want, n.name+"\n")
				n.file = false
			}
		}
	}
	if got := m.ask(0, "clean"); got != strings.Join(want, "") {
		m.Fatalf("clean removed %q, not %q", got, want)
	}
	for _, n := range m.names {
		m.agree(n)
	}
}

// drain ends everything, one after the other.
func (m *machine) drain() {
	for _, n := range m.names {
		for len(n.holders)+len(n.waiters) > 0 {
			if i := slices.IndexFunc(n.waiters, func(s *start) bool { return s.stopped }); i >= 0 {
				m.goOn(n, n.waiters[i])
			} else {
				m.finish(n, n.holders[0], 0)
			}
		}
	}
	m.agreeList(m.names)
}
