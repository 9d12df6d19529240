package main

import (
	"runtime"

	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/supervise"
)

// A command that was started before the Go runtime has its signals blocked on all
// threads. They are let through on this one only, so main has to stay on it.
func init() {
	if early.Started() {
		runtime.LockOSThread()
	}
}

// startedEarly is the command that runs already, nil if there is none.
func startedEarly() *supervise.Running {
	r, ok := early.Adopt()
	if !ok {
		return nil
	}
	return &supervise.Running{PID: r.PID, Mask: r.Mask, Ignored: r.Ignored, Stopped: r.Stopped}
}
