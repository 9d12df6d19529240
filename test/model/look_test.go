//go:build linux

package model

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/sole-run/sole"
)

// agree waits until the program says of the name what the model says.
func (w *world) agree(n *name) {
	w.pump()
	w.eventually(func() string {
		got, args := sole.Status{}, []string{"status", "--json", n.name}
		if err := json.Unmarshal([]byte(w.ask(-1, args...)), &got); err != nil {
			return err.Error()
		}
		n.hear(got)
		return differs("status", n.view(), viewOf(got, true))
	})
	for _, s := range n.waiters {
		w.eventually(func() string { return n.waitsDifferently(s) })
	}
	w.late()
}

// agreeList compares what ls says with all names.
func (w *world) agreeList(names []*name) {
	var want []string
	for _, n := range names {
		if !n.file {
			continue
		}
		v := n.view()
		v.waiting = nil
		want = append(want, v.lines()...)
	}
	w.eventually(func() string {
		var all []sole.Status
		if err := json.Unmarshal([]byte(w.ask(0, "ls", "--all", "--json")), &all); err != nil {
			return err.Error()
		}
		var got []string
		for len(all) > 0 {
			i := 1
			for i < len(all) && all[i].Name == all[0].Name {
				if all[i].Waiters != all[0].Waiters {
					return fmt.Sprintf("%s has %d waiters, and %d", all[0].Name, all[0].Waiters, all[i].Waiters)
				}
				i++
			}
			st := all[0]
			st.Others = all[1:i]
			for _, n := range names {
				n.hear(st)
			}
			got = append(got, viewOf(st, false).lines()...)
			all = all[i:]
		}
		return differsText("ls", strings.Join(want, "\n"), strings.Join(got, "\n"))
	})
}

// view is what there is to say of a name, in a form that can be compared.
type view struct {
	name    string
	head    string
	holders []string
	waiters int
	waiting []string
}

func (v view) lines() []string {
	slices.Sort(v.holders)
	lines := append([]string{v.name + ": " + v.head}, v.holders...)
	lines = append(lines, fmt.Sprintf("waiters: %d", v.waiters))
	return append(lines, v.waiting...)
}

func differs(what string, want, got view) string {
	return differsText(what, strings.Join(want.lines(), "\n"), strings.Join(got.lines(), "\n"))
}

func differsText(what, want, got string) string {
	if want == got {
		return ""
	}
	return fmt.Sprintf("%s says\n%s\n--- instead of\n%s", what, got, want)
}

const holderLine = "holder pid %d, command %d, orphaned %v, run %d in place of %d, %s, slot %d, skips %d"

// view is what the model says of the name.
func (n *name) view() view {
	v := view{name: n.name, head: "held", waiters: len(n.waiters)}
	if len(n.holders) == 0 {
		v.head = "free"
		if n.file {
			v.head = fmt.Sprintf("free, run %d", n.last)
		}
	}
	for _, h := range n.holders {
		pid := h.cmd.Process.Pid
		if h.orphaned {
			pid = 0
		}
		v.holders = append(v.holders, fmt.Sprintf(holderLine, pid, h.seen.pid, h.orphaned,
			h.seen.run, h.replacedRun(h.told), h.mode(), h.slot, n.skips-h.skipsFrom))
	}
	for _, s := range n.waiters {
		v.waiting = append(v.waiting, fmt.Sprintf("waiter pid %d for %s, stopped %v", s.cmd.Process.Pid, s.class, s.stopped))
	}
	return v
}

// hear takes what the model does not decide from what the program says.
func (n *name) hear(st sole.Status) {
	for _, h := range n.holders {
		if h.seen.run == st.Run && n.name == st.Name {
			h.told = st.Replaced
		}
	}
}

// replacedRun is got if that can be which run h was started in place of, else one that can.
func (h *start) replacedRun(got uint64) uint64 {
	if h.replaced[got] {
		return got
	}
	for run := range h.replaced {
		return run
	}
	return 0
}

// viewOf is what the program says of the name.
func viewOf(st sole.Status, whole bool) view {
	v := view{name: st.Name, head: string(st.State), waiters: st.Waiters}
	if st.State == sole.Free {
		if st.Run > 0 {
			v.head = fmt.Sprintf("free, run %d", st.Run)
		}
	}
	for _, h := range st.Holders() {
		v.holders = append(v.holders, fmt.Sprintf(holderLine, h.PID, h.ChildPID, h.Orphaned,
			h.Run, h.Replaced, h.Mode, h.Slot, h.Skips))
	}
	if whole {
		for _, w := range st.Waiting {
			v.waiting = append(v.waiting, fmt.Sprintf("waiter pid %d for %s, stopped %v", w.PID, w.For, w.Stopped))
		}
	}
	return v
}

// waitsDifferently says how s does not wait in the way that it should: blocked in the
// kernel, stopped in all of its threads, and never by asking again and again.
func (n *name) waitsDifferently(s *start) string {
	calls, threads := []int{syscall.SYS_FLOCK, syscall.SYS_FCNTL}, 1 // the latter once it was woken before its turn
	if s.behind != nil {
		calls = calls[1:]
	} else if s.seated {
		calls, threads = calls[1:], s.slots
	}
	dir := fmt.Sprintf("/proc/%d/task/", s.cmd.Process.Pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	found := 0
	for _, t := range tasks {
		if s.stopped {
			stat, _ := os.ReadFile(dir + t.Name() + "/stat")
			if _, state, ok := strings.Cut(string(stat), ") "); ok && state[0] != 'T' {
				return fmt.Sprintf("%s: a thread is in state %c", s, state[0])
			}
			continue
		}
		b, err := os.ReadFile(dir + t.Name() + "/syscall")
		if err != nil { // not every kernel has it
			return ""
		}
		first, _, _ := strings.Cut(string(b), " ")
		if nr, err := strconv.Atoi(first); err == nil && slices.Contains(calls, nr) {
			found++
		}
	}
	if !s.stopped && found != threads {
		return fmt.Sprintf("%s: %d threads wait in system calls %d, not %d", s, found, calls, threads)
	}
	return ""
}
