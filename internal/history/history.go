// Package history appends the runs and skips of a name to a file beside its lock file, and
// reads them. It renders nothing.
//
// A record is one line of JSON in a fixed order of keys (docs/history.md), written by one append.
// Nothing is locked for that: a line that was torn, by a full disk or a kill, is skipped by readers and
// counted, and the next line does not join it. When the file has grown beyond a limit it becomes
// the older one of two, in place of the one that was.
package history

import "time"

// Outcome is how a run ended, or that a start was skipped.
type Outcome uint8

// The outcomes. None is the zero value, and stands for a run that has not ended.
const (
	None     Outcome = iota
	OK               // the command exited with 0
	Failed           // it exited with another code, or could not be started
	Signaled         // a signal killed it
	TimedOut         // it was ended at --max-time
	Replaced         // it was ended for the next run
	Lost             // the name was lost while it ran
	Skipped          // the name was held, and nothing was run
	Crashed          // the supervisor died first, so how it ended nobody saw
	Ended            // the program held the name itself, and left without a word
	outcomes
)

// Outcomes are all there are.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, outcomes-1)
	for o := OK; o < outcomes; o++ {
		all = append(all, o)
	}
	return all
}

// Entry is one record: a run that has ended, or a skip.
type Entry struct {
	Name string
	Run  uint64 // 0 for a skip
	// Started and Ended are by the wall clock, Lasted by one that is not stepped. Of a skip they
	// are how long it waited.
	Started, Ended time.Time
	Lasted         time.Duration
	Outcome        Outcome
	ExitCode       int    // NoCode if there is none
	Signal         int    // 0 if none killed it
	SignalName     string // when read
	User, Host     string
	PID            int
	// EndedBefore is set when nobody saw the end: the run was last known to go on at Ended, and
	// had ended by then.
	EndedBefore time.Time
	// Of a skip: who held the name. The run is 0 where that is not known.
	HolderRun     uint64
	HolderPID     int
	HolderStarted time.Time
	Command       []string
	// Cut is set when words of Command are missing, or the last one is cut short.
	Cut bool
}

// Unseen says of a run whose end nobody saw that it was last known to go on at last, and had ended
// before then. A supervisor that died leaves a command; what held the name itself just ended. It needs no
// Go runtime.
func (e *Entry) Unseen(supervised bool, last, before time.Time) {
	e.Outcome = Ended
	if supervised {
		e.Outcome = Crashed
	}
	e.Ended, e.EndedBefore = e.Started, before
	if last.UnixNano() > e.Ended.UnixNano() && last.UnixNano() <= before.UnixNano() {
		e.Ended = last
	}
	if e.EndedBefore.UnixNano() < e.Ended.UnixNano() { // the clock was set back
		e.EndedBefore = e.Ended
	}
	e.Lasted = time.Duration(e.Ended.UnixNano() - e.Started.UnixNano())
}

// NoCode is the exit code of what did not exit.
const NoCode = -1

// Closing reports whether the record was written by somebody who found that the run had ended
// without a word. If the run has another record, that one is right.
func (e *Entry) Closing() bool { return !e.EndedBefore.IsZero() }
