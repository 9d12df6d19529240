package queue

import (
	"cmp"
	"slices"
	"time"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/proc"
)

// Ahead reports whether a waiter goes before one of the class that arrived at the given
// time, and is not stopped. For a [Slot] it leaves out its own class, which [SlotAhead] is for.
// fd's own tickets are not seen. Like all looking it takes nothing, and disturbs nobody.
func Ahead(fd int, class Class, arrived time.Duration) (found bool, err error) {
	if none, err := noneAhead(fd, class); none || err != nil {
		return false, err
	}
	for _, s := range stretches(fd, class, arrived) {
		err := flock.EachMark(fd, s.from, s.to, class.sees(), func(off int64) bool {
			found = !waiterAt(fd, off).Stopped
			return !found
		})
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// Replacing reports whether somebody waits for the end of the holder to take its place.
func Replacing(fd int) bool {
	_, found, err := nearest(fd, flock.Shared, stretch{frontFrom, frontFrom + span})
	return found && err == nil
}

// SlotAhead is [Ahead] for a [Slot] among its own class only.
func SlotAhead(fd int, arrived time.Duration) (found bool, err error) {
	s := slotsBefore(arrived)
	err = flock.EachMark(fd, s.from, s.to, flock.Exclusive, func(off int64) bool {
		found = !waiterAt(fd, off).Stopped
		return !found
	})
	return found, err
}

// stretch is the tickets in [from, to).
type stretch struct{ from, to int64 }

func slotsBefore(arrived time.Duration) stretch {
	return stretch{slotsFrom, slotsFrom + int64(arrived)}
}

// stretches are where the tickets are that go before one of the class.
func stretches(fd int, class Class, arrived time.Duration) []stretch {
	if class == Front {
		return []stretch{{frontFrom, frontFrom + int64(arrived)}}
	}
	all := []stretch{{frontFrom, frontFrom + span}, {queueFrom, queueFrom + int64(arrived)}}
	if class == Exclusive && !gateStopped(fd) {
		all = append(all, slotsBefore(arrived))
	}
	return all
}

// gateStopped reports whether the one is stopped that gives the slots out, so that none who
// waits for one can go on.
func gateStopped(fd int) bool {
	at, found, err := flock.AnyMark(fd, gateFrom, whoFrom, flock.Exclusive)
	return err == nil && found && stopped(int(at-gateFrom))
}

// nearest returns the place of the last waiter in the stretch that is not stopped, if there
// is one.
func nearest(fd int, sees flock.Kind, s stretch) (at int64, found bool, err error) {
	// The kernel tells of any one in a stretch, and that is mostly the first. Those who arrived
	// shortly before are near the end.
	first, there, err := flock.AnyMark(fd, s.from, s.to, sees)
	if err != nil || !there {
		return 0, false, err
	}
	if at, found, err = lastFrom(fd, sees, stretch{first, s.to}); found || err != nil {
		return at, found, err
	}
	return lastFrom(fd, sees, stretch{s.from, first})
}

// lastFrom searches a stretch from its end, in ever greater steps.
func lastFrom(fd int, sees flock.Kind, s stretch) (at int64, found bool, err error) {
	for width := int64(time.Microsecond); s.from < s.to; {
		low := max(s.from, s.to-width)
		at, found, err := highest(fd, sees, stretch{low, s.to})
		switch {
		case err != nil:
			return 0, false, err
		case !found:
			s.to, width = low, min(8*width, span)
		case waiterAt(fd, at).Stopped:
			s.to = at
		default:
			return at, true, nil
		}
	}
	return 0, false, nil
}

// highest returns the last ticket in the stretch.
func highest(fd int, sees flock.Kind, s stretch) (at int64, found bool, err error) {
	for {
		off, more, err := flock.AnyMark(fd, s.from, s.to, sees)
		if err != nil || !more {
			return at, found, err
		}
		at, found = off, true
		s.from = off + 1
	}
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
		w.Stopped = stopped(w.PID)
	}
	return w
}

// stopped reports whether SIGSTOP or a tracer has stopped the process.
func stopped(pid int) bool {
	st, err := proc.ReadStat(pid)
	return err == nil && (st.State == 'T' || st.State == 't')
}
