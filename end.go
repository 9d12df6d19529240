package sole

import (
	"fmt"
	"syscall"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes that a holder can give with [Lock.ReleaseAs]. The history
// (docs/history.md) has two more: skipped and crashed. A program that held the name itself and left without a word has ended.
const (
	OK       Outcome = "ok"       // it did what it should
	Failed   Outcome = "failed"   // it did not, or could not be started
	Signaled Outcome = "signaled" // a signal killed it
	TimedOut Outcome = "timeout"  // it was ended because it took too long
	Lost     Outcome = "lost"     // the name was lost while it ran
	Ended    Outcome = "ended"    // how, nobody knows
	Replaced Outcome = "replaced" // for the next run; a holder need not say so itself, see [Lock.ReleaseAs]
)

// End is how a run ended, for its history.
type End struct {
	Outcome  Outcome
	ExitCode int            // -1 for none
	Signal   syscall.Signal // that killed it, 0 for none
}

// History makes the lock keep a history: the end of the run, of a run before it that left without a
// word, and a start that finds the name busy, each a line of JSON in NAME.history beside the lock file
// (docs/history.md). Files of limit bytes become the older one of two; 0 stands for 4 MiB. That a line
// cannot be written is no reason not to run: [Lock.ReleaseAs] and [BusyError] say so.
func History(limit int64) Option {
	return func(o *options) { o.history, o.historyLimit = true, limit }
}

// Forget makes [Clean] also remove the histories of the names that nobody holds.
func Forget() Option { return func(o *options) { o.forget = true } }

// HistoryError says that the history of a name could not be written. Nothing else is wrong then.
type HistoryError struct {
	Name string
	Err  error
}

func (e *HistoryError) Error() string {
	return fmt.Sprintf("the history of %s could not be written: %v", e.Name, e.Err)
}

// Unwrap returns Err.
func (e *HistoryError) Unwrap() error { return e.Err }
