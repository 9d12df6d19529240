package sole

import (
	"time"

	"github.com/sole-run/sole/internal/proc"
)

// State is whether a name is held.
type State string

// The states of a name.
const (
	Free State = "free"
	Held State = "held"
)

// Mode is how a name is held.
type Mode string

// The modes.
const (
	// Alone is held by one, who excludes all others.
	Alone Mode = "exclusive"
	// SharedBy is held together with others ([Shared]).
	SharedBy Mode = "shared"
	// SlotsUsed is held by one of those that have a slot ([Slots]).
	SlotsUsed Mode = "slots"
)

// Status is what is known of a name. For a free one only Name, State, Run, Method
// and Path are set, and Waiters and Waiting if somebody waits who is stopped or about to get it.
// Of a name that several hold it describes the first holder, and Others the rest.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// PID is the holder: the supervisor, or the program itself. It is 0 if the holder
	// has ended, or cannot be named.
	PID int `json:"pid"`
	// ChildPID is the command that a supervisor runs, or whatever is left of the run
	// once the supervisor has ended. 0: none, or it has ended.
	ChildPID int `json:"child_pid"`
	// Orphaned is set when the supervisor has ended and something it started
	// still holds the name.
	Orphaned bool   `json:"orphaned"`
	User     string `json:"user"`
	// Command is what is run; the end of a long one is missing, as "…" says.
	Command []string `json:"command"`
	Cwd     string   `json:"cwd"`
	// StartedAt is by the wall clock at the start.
	StartedAt time.Time `json:"started_at,omitzero"`
	// Seconds is how long the run has lasted, by a clock that is not stepped.
	Seconds float64 `json:"seconds"`
	// UsualSeconds is the median of how long the last runs took that succeeded, at most 32 of them; 0
	// if fewer than three are known. Those count that were held with [History], as `sole run` does.
	UsualSeconds float64 `json:"usual_seconds"`
	// UsualP95Seconds is what 95 in 100 of them took or less.
	UsualP95Seconds float64 `json:"usual_p95_seconds"`
	// Run is the number of this run, of a free name that of its last one, and 0
	// of a name that never ran, or whose holder has not written its run down.
	Run uint64 `json:"run"`
	// Replaced is the number of the run that was ended for this one, 0 for none.
	Replaced uint64 `json:"replaced,omitempty"`
	// Skips is how many starts found the name held and left, in this run.
	Skips int64 `json:"skips"`
	// Waiters is how many starts wait for the name now. It is 0 in Others.
	Waiters int `json:"waiters"`
	// Waiting is who they are, in the order in which they are served. [List] leaves it out.
	Waiting []Waiter `json:"waiting,omitempty"`
	// Mode is how the name is held, "" for a free one.
	Mode Mode `json:"mode"`
	// Slot is which of the slots is held, from 1 on; 0 with other modes.
	Slot int `json:"slot"`
	// Others are the further holders of a name that is shared: slots first, by their
	// number, then those that share without limit, by their seats.
	Others []Status `json:"others,omitempty"`

	Method string `json:"method"`
	Path   string `json:"path"`
	// Elsewhere is set when the holder is in another pid namespace or on another host,
	// where its pid means nothing to the caller.
	Elsewhere bool `json:"elsewhere"`
	// Leftover are the processes that keep the name after the command's end.
	Leftover []int `json:"leftover"`

	holder, child proc.ID
	skipsFrom     int64 // where the skips of the run begin in the lock file
	mark          int64 // the byte that the run marks in the lock file
	unmarked      bool  // no byte can be marked there
}

// Holders is st and its Others, each without Others; nothing of a free name.
func (st Status) Holders() []Status {
	if st.State != Held {
		return nil
	}
	all := append([]Status{st}, st.Others...)
	all[0].Others = nil
	return all
}

// same returns the holder of the same run as the one that h describes, if it still is one.
func (st Status) same(h Status) (Status, bool) {
	for _, now := range st.Holders() {
		// Run 0 stands for one that has not been written down.
		if now.Run == h.Run && (h.Run != 0 || now.holder == h.holder) {
			return now, true
		}
	}
	return Status{}, false
}

// Waiter is a start that waits for a name.
type Waiter struct {
	// PID is 0 where it is not known.
	PID int `json:"pid"`
	// For is what it waits for: a Mode, or "replace".
	For     string  `json:"for"`
	Seconds float64 `json:"seconds"`
	// Stopped is set when it is stopped (SIGSTOP), so that others go past it.
	Stopped bool     `json:"stopped"`
	Command []string `json:"command"`
}
