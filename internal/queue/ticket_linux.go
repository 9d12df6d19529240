package queue

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
)

// Ticket is a place in the queue.
type Ticket struct {
	fd      int
	class   Class
	arrived time.Duration
}

var last atomic.Int64

// Arrive is the time of an arrival. No two arrivals in a process have the same.
func Arrive() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // cannot fail for this clock
	for now := ts.Nano(); ; {
		before := last.Load()
		now = max(now, before+1)
		if last.CompareAndSwap(before, now) {
			return time.Duration(now)
		}
	}
}

// Take takes a ticket for the time of arrival on the file that is open as fd, for
// reading and writing. It ends with the open file description, or [Ticket.Return]. The error
// wraps [flock.ErrMarks] where the system has no marks.
func Take(fd int, class Class, arrived time.Duration) (*Ticket, error) {
	t := &Ticket{fd: fd, class: class, arrived: arrived}
	for {
		// First, so that whoever sees the ticket sees whose it is.
		who := whoAt(t.arrived) + int64(os.Getpid())
		if _, err := flock.Mark(fd, who, flock.Exclusive); err != nil {
			return nil, err
		}
		got, err := t.mark()
		if got {
			return t, nil
		}
		_ = flock.Unmark(fd, who)
		if err != nil {
			return nil, err
		}
		t.arrived++ // two in one nanosecond
	}
}

// mark takes the byte of the ticket, unless another has it.
func (t *Ticket) mark() (bool, error) {
	off := t.class.from() + int64(t.arrived)
	if t.class == Shared {
		// Their marks do not exclude each other, and two on one byte would count as one.
		if taken, err := flock.Marked(t.fd, off); taken && err == nil {
			return false, nil
		}
	}
	return flock.Mark(t.fd, off, t.class.kind())
}

// Arrived is the time that the ticket is for: that asked for, or a little later.
func (t *Ticket) Arrived() time.Duration { return t.arrived }

// Return gives the place up, and every other that was taken with the same open file
// description: one call is cheaper than two, at the moment when the next one begins to run.
func (t *Ticket) Return() { _ = flock.UnmarkAll(t.fd, gateFrom, slotsEnd) }

// from is where the marks of the class begin.
func (c Class) from() int64 {
	switch c {
	case Front:
		return frontFrom
	case Slot:
		return slotsFrom
	}
	return queueFrom
}

func (c Class) kind() flock.Kind {
	if c == Shared {
		return flock.Shared
	}
	return flock.Exclusive
}

func whoAt(arrived time.Duration) int64 {
	return whoFrom + int64(arrived)&(1<<lowBits-1)<<pidBits
}
