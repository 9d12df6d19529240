package queue

import (
	"cmp"
	"slices"
	"time"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/proc"
)

// Place is a waiter's place in the queue of a file, for [Await].
type Place struct{ off int64 }

// Ahead returns the place of a waiter that goes before one of the class that arrived
// at the given time, if there is one that is not stopped. For a [Slot] it leaves out its own
// class, which [SlotAhead] is for. fd's own tickets are not seen. Like all looking it takes nothing,
// and disturbs nobody.
func Ahead(fd int, class Class, arrived time.Duration) (p Place, found bool, err error) {
	if none, err := noneAhead(fd, class); none || err != nil {
		return Place{}, false, err
	}
	stretches := []stretch{{frontFrom, frontFrom + span}, {queueFrom, queueFrom + int64(arrived)}}
	if class == Front {
		stretches = []stretch{{frontFrom, frontFrom + int64(arrived)}}
	}
	p, found, err = first(fd, class.sees(), stretches...)
	if found || err != nil || class != Exclusive {
		return p, found, err
	}
	return slotAhead(fd, arrived)
}

// slotAhead is SlotAhead for one who waits for all. Slots are given out by whoever is first
// among those that wait for one, so that one that is stopped may keep the others from going on:
// then none of them counts.
func slotAhead(fd int, arrived time.Duration) (p Place, found bool, err error) {
	err = flock.EachMark(fd, slotsFrom, slotsFrom+int64(arrived), flock.Exclusive, func(off int64) bool {
		p, found = Place{off}, !waiterAt(fd, off).Stopped
		return found
	})
	return p, found, err
}

// first returns a waiter in the stretches that is not stopped, if there is one.
func first(fd int, sees flock.Kind, stretches ...stretch) (p Place, found bool, err error) {
	for _, r := range stretches {
		err := flock.EachMark(fd, r.from, r.to, sees, func(off int64) bool {
			p, found = Place{off}, !waiterAt(fd, off).Stopped
			return !found
		})
		if found || err != nil {
			return p, found, err
		}
	}
	return Place{}, false, nil
}

// SlotAhead is [Ahead] for a [Slot] among its own class only.
func SlotAhead(fd int, arrived time.Duration) (p Place, found bool, err error) {
	return first(fd, flock.Exclusive, stretch{slotsFrom, slotsFrom + int64(arrived)})
}

// noneAhead answers the usual case with one question.
func noneAhead(fd int, class Class) (bool, error) {
	to := int64(slotsEnd)
	if class != Exclusive {
		to = slotsFrom
	}
	_, found, err := flock.AnyMark(fd, frontFrom, to, class.sees())
	return !found, err
}

// sees is which marks are ahead of the class at all: those that share the lock are not
// of one another.
func (c Class) sees() flock.Kind {
	if c == Shared || c == Slot {
		return flock.Shared
	}
	return flock.Exclusive
}

type stretch struct{ from, to int64 }

// Count is how many wait for the file that is open as fd.
func Count(fd int) int {
	n := 0
	_ = flock.EachMark(fd, frontFrom, slotsEnd, flock.Exclusive, func(int64) bool { n++; return true })
	return n
}

// Any reports whether anybody waits.
func Any(fd int) bool {
	_, found, err := flock.AnyMark(fd, frontFrom, slotsEnd, flock.Exclusive)
	return found && err == nil
}

// List returns those that wait, in the order in which they are served.
func List(fd int) ([]Waiter, error) {
	var list []Waiter
	err := flock.EachMark(fd, frontFrom, slotsEnd, flock.Exclusive, func(off int64) bool {
		list = append(list, waiterAt(fd, off))
		return true
	})
	slices.SortFunc(list, func(a, b Waiter) int {
		if front := a.Class == Front; front != (b.Class == Front) {
			if front {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Since, b.Since)
	})
	return list, err
}

// arrivalAt is the time of the ticket that marks the byte at off.
func arrivalAt(off int64) time.Duration {
	switch {
	case off < queueFrom:
		off -= frontFrom
	case off < slotsFrom:
		off -= queueFrom
	default:
		off -= slotsFrom
	}
	return time.Duration(off)
}

// waiterAt is the waiter whose ticket marks the byte at off.
func waiterAt(fd int, off int64) Waiter {
	w := Waiter{Class: Slot, Since: arrivalAt(off)}
	switch {
	case off < queueFrom:
		w.Class = Front
	case off < slotsFrom:
		w.Class = Exclusive
		if _, alone, err := flock.AnyMark(fd, off, off+1, flock.Shared); err == nil && !alone {
			w.Class = Shared
		}
	}
	who := whoAt(w.Since)
	if at, found, err := flock.AnyMark(fd, who, who+1<<pidBits, flock.Exclusive); found && err == nil {
		w.PID = int(at - who)
		st, err := proc.ReadStat(w.PID)
		w.Stopped = err == nil && (st.State == 'T' || st.State == 't')
	}
	return w
}
