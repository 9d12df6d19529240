package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/sole-run/sole"
)

// historyVar says how large a file of a history may be before the next one is begun.
const historyVar = "SOLE_HISTORY_SIZE"

// keepHistory is the option that keeps a history, none if it is switched off.
func keepHistory() ([]sole.Option, error) {
	v := os.Getenv(historyVar)
	if v == "" {
		return []sole.Option{sole.History(0)}, nil
	}
	n, err := parseSize(v)
	if err != nil {
		return nil, &failure{exitConfig, fmt.Sprintf("%s is %q: %v", historyVar, shorten(v), err), "unset it, or set it to 4M"}
	}
	if n == 0 {
		return nil, nil
	}
	return []sole.Option{sole.History(n)}, nil
}

// parseSize reads a number of bytes, with K, M or G for powers of 1024.
func parseSize(s string) (int64, error) {
	const form = "a size is like 4M, 512K or 1048576, and 0 switches the history off"
	digits, unit := s, int64(1)
	if i := strings.IndexByte("KMG", s[len(s)-1]&^0x20); i >= 0 {
		digits, unit = s[:len(s)-1], 1<<(10*(i+1))
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > (1<<62)/unit {
		return 0, errors.New(form)
	}
	return int64(n) * unit, nil
}

// endOf says of how the command ended what the history is to say.
func endOf(ws syscall.WaitStatus, timedOut bool) sole.End {
	e := sole.End{Outcome: sole.OK, ExitCode: -1}
	switch {
	case ws.Signaled():
		e.Outcome, e.Signal = sole.Signaled, ws.Signal()
	default:
		if e.ExitCode = ws.ExitStatus(); e.ExitCode != 0 {
			e.Outcome = sole.Failed
		}
	}
	if timedOut {
		e.Outcome = sole.TimedOut
	}
	return e
}

// neverRan is the end of a run whose command could not be started.
func neverRan(code int) sole.End { return sole.End{Outcome: sole.Failed, ExitCode: code} }

// leftAlone is the end of a run that a script gave up: how the script went on nobody knows.
var leftAlone = sole.End{Outcome: sole.Ended, ExitCode: -1}

// released says what giving a name back could not do, but for what lost it: that is returned.
func released(n string, err error) (lost error) {
	for _, err := range parts(err) {
		var h *sole.HistoryError
		var p *sole.PidFileError
		switch {
		case errors.As(err, &h):
			warnHistory(h)
		case errors.As(err, &p) && p.Lost:
			lost = p
		default:
			say("%s has ended; its record could not be brought up to date: %v", n, message(err))
		}
	}
	return lost
}

// parts are the errors that were joined.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}

func warnHistory(err error) {
	var h *sole.HistoryError
	if !errors.As(err, &h) {
		return
	}
	say("%s: its history could not be written: %s", h.Name, message(h.Err))
	var unsafe *sole.UnsafeError
	if errors.As(h.Err, &unsafe) && unsafe.Remedy != "" {
		hint("%s", unsafe.Remedy)
	}
}
