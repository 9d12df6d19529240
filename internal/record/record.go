// Package record is the form of what a holder writes about itself in the lock
// file, byte by byte as docs/protocol.md says.
//
// A lock file begins with a header of [HeaderSize] bytes, rarely written and then
// made durable, followed by the record of [Size] bytes, overwritten in place. Behind
// [End] every skip appends one byte. All of it is text.
//
// The package knows neither files nor whether a holder lives.
package record

import (
	"errors"
	"time"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/usual"
)

const (
	// HeaderSize is a disk sector, so that a power cut while the record is being
	// written cannot tear the header.
	HeaderSize = 512
	// Size is the length of a record.
	Size = 2048
	// End is where the record ends and the skips begin.
	End = HeaderSize + Size
)

// The bytes that are marked in a lock file, apart from what is written there.
const (
	// HolderMark is the byte that a holder marks that is alone.
	HolderMark = 0
	// SeatMarks is where the marks of the seats begin, a byte a seat.
	SeatMarks    = 1
	SeatMarksEnd = SeatMarks + Seats
	// PendingMark is the byte that a start marks which waits so that no second of its
	// kind does.
	PendingMark = 1 << 59
	// NumberMark is the byte that one who shares the name marks while it takes a run
	// number.
	NumberMark = PendingMark + 1
	// WaiterMarks is where the tickets of waiters begin (package queue). Behind them
	// there is nothing else.
	WaiterMarks    = 1 << 61
	WaiterMarksEnd = 1<<63 - 1
	// ReplaceMarks is where the tickets of replacements are, the first of them.
	ReplaceMarks    = WaiterMarks
	ReplaceMarksEnd = 1 << 62
)

// Seats is how many holders can share a name: half of the seats are slots.
const Seats = 8192

// SeatAt is where a seat's record is in the file of the seats.
func SeatAt(seat int) int64 { return int64(seat) * Size }

// State says whether the record's run has ended.
type State uint8

// The states of a record. A record that says held is to be believed only while
// its file is locked.
const (
	Free State = iota
	Held
)

var (
	// ErrEmpty is returned for a file in which nothing was ever written.
	ErrEmpty = errors.New("the lock file is empty")
	// ErrDamaged is returned for a record or header that no sole wrote, or that
	// was read while it was being written.
	ErrDamaged = errors.New("the lock file is damaged")
	// ErrNewer is returned for a file that a later version of sole wrote.
	ErrNewer = errors.New("the lock file was written by a newer sole")
)

// Header is what of a lock file outlives a crash of the host.
type Header struct {
	// Limit is the highest run number that may be given out before a higher limit
	// has been made durable.
	Limit uint64
	// Shared is the last run number that was given to one that shares the name, 0 for
	// none. Unlike Limit it is worth nothing in another boot than Boot.
	Shared uint64
	Boot   proc.BootID
	// Lasted is how long the last runs took that succeeded, as far as that is written down.
	Lasted usual.Sample
}

// Record describes one run.
type Record struct {
	Run    uint64
	Place  proc.Place
	Holder proc.ID
	// Child is the command of a supervisor, zero for none.
	Child proc.ID
	UID   uint32
	// Started is the wall clock's time, in nanoseconds.
	Started time.Time
	// Uptime is the time since boot at the start, suspension included
	// (CLOCK_BOOTTIME), which no step of the wall clock changes.
	Uptime time.Duration
	// Replaced is the run that was ended for this one, 0 for none.
	Replaced uint64
	// SkipsFrom is the file's length when the run began: what has been appended
	// since are its skips.
	SkipsFrom int64
	Method    string
	// Unmarked is set where the filesystem refuses marks, so that their absence
	// says nothing.
	Unmarked bool
	Cwd      string
	// Command is as much of the holder's argument vector as fits.
	Command []string
	// Cut is set when the last word of Command was cut short.
	Cut bool
	// Omitted is how many words were left out.
	Omitted int
}
