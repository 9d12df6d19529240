package proc

import (
	"os"
	"strconv"
	"syscall"
)

// All returns the pids that can be seen in /proc.
func All() ([]int, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(names))
	for _, n := range names {
		if n[0] < '1' || n[0] > '9' {
			continue
		}
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Descendants returns the live children of root, their children, and so on.
// A descendant whose parent has ended is found only if root is its subreaper. Those for which
// aside is true, if it is not nil, are left out with all below them.
func Descendants(root int, aside func(pid int) bool) ([]Stat, error) {
	pids, err := All()
	if err != nil {
		return nil, err
	}
	children := make(map[int][]Stat)
	for _, pid := range pids {
		if st, err := ReadStat(pid); err == nil && st.State != 'Z' && st.State != 'X' {
			children[st.Parent] = append(children[st.Parent], st)
		}
	}
	var found []Stat
	for todo := []int{root}; len(todo) > 0; {
		next := children[todo[0]]
		todo = todo[1:]
		for _, st := range next {
			if aside != nil && aside(st.PID) {
				continue
			}
			found = append(found, st)
			todo = append(todo, st.PID)
		}
	}
	return found, nil
}

// Ancestors returns the pids of this process's parent, its parent, and so on.
func Ancestors(pid int) []int {
	var up []int
	for {
		st, err := ReadStat(pid)
		if err != nil || st.Parent <= 0 {
			return up
		}
		up = append(up, st.Parent)
		pid = st.Parent
	}
}

// SignalDescendants sends sigs to each of the [Descendants], in one pass, and
// returns how many there were and those that refused. A process that is started
// during the pass may be missed: repeat until none is left.
func SignalDescendants(root int, aside func(pid int) bool, sigs ...syscall.Signal) (found int, refused []int, err error) {
	all, err := Descendants(root, aside)
	if err != nil {
		return 0, nil, err
	}
	for _, st := range all {
		// The start time pins the process that was found below root.
		h, err := ID{PID: st.PID, Start: st.Start}.Open()
		if err != nil {
			continue
		}
		for _, sig := range sigs {
			if err := h.Signal(sig); err != nil && err != ErrGone {
				refused = append(refused, st.PID)
				break
			}
		}
		h.Close()
	}
	return len(all), refused, nil
}
