package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/fixed"
)

// refused says why the command was not run.
func (o *runFlags) refused(n string, err error, began time.Time, argv []string) int {
	var busy *sole.BusyError
	var file *os.PathError
	switch {
	case errors.As(err, &busy):
	case errors.As(err, &file) && o.program != "" && file.Path == o.program:
		return fail(&failure{exitNotExec, "cannot read " + file.Path + ": " + file.Err.Error(), ""})
	case o.replace && file == nil:
		return failAct("run", n, err)
	default:
		return fail(err)
	}
	if 0 < busy.InRow && busy.InRow < o.alertAfter {
		return o.busyExit
	}
	defer o.tellSkipped(n, busy, began, argv)
	if o.quiet {
		return o.busyExit
	}
	say("%s", o.why(n, busy))
	warnHistory(busy.HistoryErr)
	if busy.Unverified || busy.PidFile != "" && busy.Doubt != "" {
		hint("if that is not the program that %s is for, remove %s", busy.PidFile, busy.PidFile)
	}
	return o.busyExit
}

// why is the line that a skip says.
func (o *runFlags) why(n string, busy *sole.BusyError) string {
	h := busy.Holder
	waiting := ""
	if h.Waiters > 0 && busy.File == "" {
		waiting = fmt.Sprintf("; %d waiting", h.Waiters)
	}
	line := fmt.Sprintf("%s is already running: %s%s", n, who(h), waiting)
	switch {
	case n == "":
		line = fmt.Sprintf("%s is locked: %s", busy.File, who(h))
	case busy.File != "":
		line = fmt.Sprintf("%s: %s is locked: %s", n, busy.File, who(h))
	case busy.PidFile != "" || busy.Socket != "":
		line = fmt.Sprintf("%s: %s is held: %s", n, busy.PidFile+busy.Socket, who(h))
		if busy.Doubt != "" {
			line = fmt.Sprintf("%s: %s may be held: %s", n, busy.PidFile+busy.Socket, busy.Doubt)
		}
	case h.State == sole.Free && h.Waiters > 0:
		line = fmt.Sprintf("%s is about to be run by a start that came earlier: %d waiting", n, h.Waiters)
	case h.Waiters > 0 && o.hasRoom(h):
		line = fmt.Sprintf("%s is to be run first by a start that came earlier: %d waiting; held by %s", n, h.Waiters, who(h))
	case h.Mode == sole.SlotsUsed && o.slots > 0:
		line = fmt.Sprintf("%s is already running in all of %d slots, slot 1: %s%s", n, o.slots, who(h), waiting)
	case h.Mode != sole.Alone && len(h.Others) > 0:
		line = fmt.Sprintf("%s is already running %d times: %s%s", n, len(h.Others)+1, who(h), waiting)
	}
	row := inRow(busy.InRow)
	switch {
	case busy.Err != nil && row != "":
		return fmt.Sprintf("%s; gave up after %s%s", line, limit(o.limit), row+" without a run")
	case busy.Err != nil:
		return fmt.Sprintf("%s; gave up after %s", line, limit(o.limit))
	case busy.Queued:
		return line + "; already queued, skipped" + row
	case busy.Young:
		return fmt.Sprintf("%s; not yet for %s, skipped%s", line, limit(o.older), row)
	}
	return line + "; skipped" + row
}

// inRow says the how manieth skip it is, "" for the first one, or if that is not known.
func inRow(n int64) string {
	if n < 2 {
		return ""
	}
	return ", " + ordinal(n) + " in a row"
}

func ordinal(n int64) string {
	var b [24]byte
	w := fixed.Writer{B: b[:]}
	w.Ordinal(uint64(n))
	return string(b[:w.N])
}

// hasRoom reports whether the holders do not exclude this start, so that it was not run because
// of those that wait.
func (o *runFlags) hasRoom(st sole.Status) bool {
	if st.State != sole.Held || st.Mode == sole.Alone || !o.shared && o.slots == 0 {
		return false
	}
	taken := 0
	for _, h := range st.Holders() {
		if 0 < h.Slot && h.Slot <= o.slots {
			taken++
		}
	}
	return o.shared || taken < o.slots
}

// warnSquatted says that nobody will find the holder at the abstract address.
func warnSquatted(lock *sole.Lock) {
	var e *sole.SquattedError
	if !errors.As(lock.Squatted(), &e) {
		return
	}
	say("%s: %s; %s is held all the same, by its lock file", lock.Name(), e.Error(), lock.Name())
	if e.Known {
		hint("ps -p %d tells what it is; no other user can take the socket of --method socket", e.PID)
		return
	}
	hint("no other user can take the socket of --method socket")
}
