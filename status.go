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

// Status is what is known of a name. For a free one only Name, State, Run, Method
// and Path are set.
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
	// Run is the number of this run, of a free name that of its last one, and 0
	// of a name that never ran.
	Run uint64 `json:"run"`
	// Skips is how many starts found the name held and left, in this run.
	Skips int64 `json:"skips"`
	// Waiters is how many starts wait for the name now.
	Waiters int    `json:"waiters"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	// Elsewhere is set when the holder is in another pid namespace or on another host,
	// where its pid means nothing to the caller.
	Elsewhere bool `json:"elsewhere"`
	// Leftover are the processes that keep the name after the command's end.
	Leftover []int `json:"leftover"`

	holder, child proc.ID
}
