// Package doctor finds out whether locks work in a directory, and whether that place
// is safe.
//
// Each check is a function in a file of its own that returns a [Result]. A check that
// touches a filesystem runs in a process of its own: a filesystem that hangs keeps that
// process, and not the doctor, who reports it when the time is up.
//
// The package takes no name and opens no lock file. What it tries, it tries on a file of
// its own, which no name can have, and which it removes. It prints nothing.
package doctor

import "time"

// Status is how a check went.
type Status string

// The states of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but not in every case
	Failure Status = "failure" // a start is refused, or may run beside another
	Skipped Status = "skipped" // it cannot be known, because something else failed
)

// Cause says what kind of failure there is.
type Cause string

// The causes of a failure.
const (
	None   Cause = ""
	Unsafe Cause = "unsafe" // the place is not to be trusted, or forbidden
	Lock   Cause = "lock"   // a lock cannot be made there, or does not exclude
	System Cause = "system" // the system refuses, or does not answer
)

// Result is what a check found.
type Result struct {
	Name   string            `json:"name"`
	Status Status            `json:"status"`
	Cause  Cause             `json:"cause,omitempty"`
	Found  string            `json:"found"`
	Do     string            `json:"do"` // what to do, "" if nothing
	Facts  map[string]string `json:"facts"`
}

// Place says which directory is meant.
type Place struct {
	Path string // "" for the user's own
	// By is who said so: "PATH", "--dir", "SOLE_DIR", "" for nobody.
	By string
}

// Options are what [Examine] needs to know.
type Options struct {
	Place
	// Timeout is how long a check may take.
	Timeout time.Duration
}
