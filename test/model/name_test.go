//go:build linux

package model

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
)

// class is what a start asks for.
type class int

const (
	alone class = iota
	shared
	slotted
	front
)

func (c class) String() string { return [...]string{"exclusive", "shared", "slots", "replace"}[c] }

// GoString is how rapid prints it.
func (c class) GoString() string { return c.String() }

// policy is the flags of a start.
type policy struct {
	class   class
	slots   int
	wait    bool
	limited bool // -w, and too short
	pending bool // --queue
	older   bool // --older-than, and too long
}

const limit = "25ms"

func (p policy) flags() []string {
	var f []string
	switch p.class {
	case shared:
		f = append(f, "--shared")
	case slotted:
		f = append(f, "--slots", strconv.Itoa(p.slots))
	case front:
		f = append(f, "--replace")
	}
	if p.wait {
		f = append(f, "--wait")
	}
	if p.limited {
		f = append(f, "-w", limit)
	}
	if p.pending {
		f = append(f, "--queue")
	}
	if p.older {
		f = append(f, "--older-than", "1000h")
	}
	return f
}

// fate is what is wanted of a start.
type fate int

const (
	waits fate = iota
	holds
	skipped
	killed // while it waited
	done   // it ran, and that is over
)

// start is one sole run.
type start struct {
	policy
	number int
	name   string
	cmd    *exec.Cmd
	stdin  *os.File
	seen   sight

	want      fate
	stopped   bool            // by SIGSTOP, while it waits
	orphaned  bool            // its supervisor was killed
	runs      map[uint64]bool // which of these run numbers it has is not known beforehand
	replaced  map[uint64]bool // likewise
	told      uint64          // and which of them was said
	slot      int
	skipsFrom int // the name's skips when it began
	end       string
	says      []string

	// How it waits.
	behind *start // for the end of the wait of this one
	seated bool   // for one of its slots
}

func (s *start) String() string { return fmt.Sprintf("#%d run %v %s", s.number, s.flags(), s.name) }

// mode is how it holds the name.
func (s *start) mode() class {
	if s.class == front {
		return alone
	}
	return s.class
}

// shares reports whether there can be others beside it.
func (s *start) shares() bool { return s.class == shared || s.class == slotted }

// name is what the model knows of one name.
type name struct {
	name    string
	file    bool // it has a lock file
	last    uint64
	skips   int
	holders []*start
	waiters []*start // in the order of arrival
	gate    *start   // the waiter for a slot that the others of its kind are behind, also earlier ones
	batch   []*start // those that got in at the same moment
	// look returns once it is seen which slot the start has got.
	look func(*start) int
}

// GoString is how rapid prints it.
func (n *name) GoString() string { return n.name }

// begin is a start, and what becomes of it. floor is what new files number from.
func (n *name) begin(s *start, floor uint64) {
	n.batch = nil
	if !n.file {
		n.file, n.last, n.skips = true, floor, 0
	}
	switch {
	case !n.spokenFor(s) && n.room(s):
		n.admit(s)
	case s.class == front && s.older:
		n.skip(s, "not yet for ")
	case s.class == front:
		s.replaced = map[uint64]bool{}
		for _, h := range n.holders {
			s.replaced[h.seen.run] = true
		}
		n.terminate(n.holders)
		n.admit(s)
	case s.pending && len(n.waiters) > 0:
		n.skip(s, "already queued, skipped")
	case s.limited:
		n.skip(s, "gave up after "+limit)
	case s.wait || s.pending:
		s.want = waits
		n.waiters = append(n.waiters, s)
	default:
		n.skip(s, "; skipped")
	}
	n.settle()
}

// spokenFor reports whether somebody waits who would be overtaken.
func (n *name) spokenFor(s *start) bool {
	switch s.class {
	case shared:
		return n.aloneBefore(nil) != nil
	case slotted:
		return n.aloneBefore(nil) != nil || slices.ContainsFunc(n.waiters, func(w *start) bool { return w.class == slotted && !w.stopped })
	case front:
		return false
	}
	return n.anyBefore(nil)
}

// before is those that came before s, all for nil.
func (n *name) before(s *start) []*start {
	if i := slices.Index(n.waiters, s); i >= 0 {
		return n.waiters[:i]
	}
	return n.waiters
}

// aloneBefore is the first one before s that goes on and shares with nobody.
func (n *name) aloneBefore(s *start) *start {
	for _, w := range n.before(s) {
		if w.class == alone && !w.stopped {
			return w
		}
	}
	return nil
}

// anyBefore reports whether one who shares with nobody is to wait for another. Of
// those that wait for a slot none counts if the one is stopped that the others are behind.
func (n *name) anyBefore(s *start) bool {
	held := n.gate != nil && n.gate.stopped
	return slices.ContainsFunc(n.before(s), func(w *start) bool {
		return !w.stopped && !(w.class == slotted && held)
	})
}

// slotBefore reports whether one who waits for a slot is to wait for another of its kind.
func (n *name) slotBefore(s *start) bool {
	return slices.ContainsFunc(n.before(s), func(w *start) bool { return w.class == slotted && !w.stopped })
}

// room reports whether the holders admit s.
func (n *name) room(s *start) bool {
	if !s.shares() {
		return len(n.holders) == 0
	}
	return !n.heldAlone() && (s.class == shared || len(n.freeSlots(s)) > 0)
}

func (n *name) heldAlone() bool { return len(n.holders) == 1 && !n.holders[0].shares() }

func (n *name) freeSlots(s *start) []int {
	var free []int
	for slot := 1; slot <= s.slots; slot++ {
		if !slices.ContainsFunc(n.holders, func(h *start) bool { return h.slot == slot }) {
			free = append(free, slot)
		}
	}
	return free
}

// admit makes s a holder.
func (n *name) admit(s *start) {
	s.want, s.skipsFrom = holds, n.skips
	if s.class == slotted {
		free := n.freeSlots(s)
		s.slot = free[0]
		// One who waits for all of its slots takes whichever the kernel gives it.
		if got := 0; s.seated && len(free) > 1 {
			if got = n.look(s); slices.Contains(free, got) {
				s.slot = got
			}
		}
	}
	n.last++
	n.batch = append(n.batch, s)
	all := map[uint64]bool{}
	for i := range n.batch {
		all[n.last-uint64(i)] = true
	}
	for _, b := range n.batch {
		b.runs = all
	}
	n.holders = append(n.holders, s)
	n.leave(s)
}

// leave takes s out of those that wait.
func (n *name) leave(s *start) {
	n.waiters = slices.DeleteFunc(n.waiters, func(w *start) bool { return w == s })
	for _, w := range n.waiters {
		if w.behind == s {
			w.behind = nil
		}
	}
	if n.gate == s {
		n.gate = nil
	}
}

// settle lets in whoever's turn it is.
func (n *name) settle() {
	for again := true; again; {
		again = false
		for _, w := range n.waiters {
			if !w.stopped && n.turn(w) {
				again = true
				break
			}
		}
	}
}

// turn lets w go on as far as it can, and reports whether it got in.
func (n *name) turn(w *start) bool {
	if w.behind != nil && w.behind.stopped { // it looks again now and then
		w.behind = nil
	}
	switch {
	case w.class == alone:
		if !n.room(w) || n.anyBefore(w) {
			return false
		}
	case w.class == slotted:
		if !n.slotTurn(w) {
			return false
		}
	case n.heldAlone():
		w.behind = nil
		return false
	case w.behind != nil:
		return false
	default:
		if w.behind = n.aloneBefore(w); w.behind != nil {
			return false
		}
	}
	n.admit(w)
	return true
}

// slotTurn is turn for one who waits for a slot. The first of those has the gate, and keeps it
// as long as it waits for holders.
func (n *name) slotTurn(w *start) bool {
	if g := n.gate; g != nil && (g.stopped || n.heldAlone() || len(n.freeSlots(g)) == 0) {
		if g == w && n.heldAlone() {
			w.seated = false
		} else if g == w {
			w.seated = true
		}
		return false
	}
	if n.slotBefore(w) || w.behind != nil {
		return false
	}
	n.gate = w
	if n.heldAlone() {
		return false
	}
	if w.behind = n.aloneBefore(w); w.behind != nil {
		n.gate, w.seated = nil, false // it may be behind one who needs the gate
		return false
	}
	w.seated = w.seated || len(n.freeSlots(w)) == 0
	return len(n.freeSlots(w)) > 0
}

// skip is the end of a start that does not get in. What it says is about the moment
// before it was counted.
func (n *name) skip(s *start, why string) {
	n.skips++
	s.want, s.end, s.says = skipped, exit(75), []string{why}
	holder, waiting := "is already running: ", fmt.Sprintf("; %d waiting", len(n.waiters))
	taken := s.slots - len(n.freeSlots(s))
	switch {
	case s.older: // it names the one that is too young
	case len(n.holders) == 0:
		holder = "is about to be run by a start that came earlier: " + strconv.Itoa(len(n.waiters)) + " waiting"
	case s.shares() && n.room(s): // so that it was not let in because of those who wait
		holder, waiting = fmt.Sprintf("is to be run first by a start that came earlier: %d waiting; held by ", len(n.waiters)), ""
	case s.slots > 0 && taken == s.slots:
		holder = fmt.Sprintf("is already running in all of %d slots, slot 1: ", s.slots)
	case len(n.holders) > 1:
		holder = fmt.Sprintf("is already running %d times: ", len(n.holders))
	}
	s.says = append(s.says, holder)
	if len(n.holders) > 0 && len(n.waiters) > 0 {
		s.says = append(s.says, waiting)
	}
}

// over is the end of the run of h.
func (n *name) over(h *start, end string) {
	h.want = done
	if !h.orphaned {
		h.end = end
	}
	n.holders = slices.DeleteFunc(n.holders, func(o *start) bool { return o == h })
}

// terminate ends holders by SIGTERM.
func (n *name) terminate(holders []*start) {
	for _, h := range slices.Clone(holders) {
		n.over(h, "terminated")
	}
}
