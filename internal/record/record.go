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

// HolderMark is the byte that the holder marks while it holds the name.
const HolderMark = 0

// The bytes that waiters mark, far behind the end of every file.
const (
	WaiterMarks    = 1 << 48
	WaiterMarksEnd = WaiterMarks << 1
	marksPerPID    = 1 << 20
)

// WaiterMark is the byte that the n-th wait of the process pid marks. Pids are below
// 2^22 (pid_max in proc_sys_kernel(5)).
func WaiterMark(pid int, n uint64) int64 {
	return WaiterMarks + int64(pid)*marksPerPID + int64(n%marksPerPID)
}

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
