package main

import (
	"strconv"
	"strings"

	"github.com/sole-run/sole/internal/crontab"
	"github.com/sole-run/sole/internal/display"
)

// jobJSON is a job as --check --json prints it.
type jobJSON struct {
	Line     int           `json:"line"`
	Schedule string        `json:"schedule"`
	User     string        `json:"user,omitempty"`
	Command  string        `json:"command"`
	State    crontab.State `json:"state"`
	Guard    string        `json:"guard"`
	Name     string        `json:"name"`
	Changes  bool          `json:"changes"`
	Text     string        `json:"text"`
	Remark   string        `json:"remark,omitempty"`
}

// checkCrontab lists the jobs. Only where each is known to be guarded is the exit code 0.
func checkCrontab(tab *crontab.Tab, src source, asJSON bool) int {
	jobs, code, open := tab.Jobs(), exitOK, 0
	for _, l := range jobs {
		if l.State == crontab.Unguarded || l.State == crontab.Unknown {
			code = exitUnguarded
			open++
		}
	}
	if asJSON {
		return worse(code, printJSON(jobsJSON(jobs)))
	}
	if len(jobs) == 0 {
		say("there is no job in %s", src)
		return code
	}
	if c := printTable(jobTable(jobs)); c != exitOK {
		return c
	}
	if open > 0 {
		say("%d of %d jobs in %s are not known to be guarded", open, len(jobs), src)
	}
	return code
}

// worse prefers a failure to what was found.
func worse(found, failed int) int {
	if failed != exitOK {
		return failed
	}
	return found
}

func jobsJSON(jobs []*crontab.Line) []jobJSON {
	all := make([]jobJSON, 0, len(jobs))
	for _, l := range jobs {
		all = append(all, jobJSON{l.Number, l.Schedule, l.User, l.Command, l.State, l.Guard, l.Name,
			len(l.Edits) > 0, strings.TrimRight(l.Text(), "\n"), l.Remark})
	}
	return all
}

// jobTable has a line a job, and below it what is to be known.
func jobTable(jobs []*crontab.Line) *display.Table {
	t := &display.Table{Columns: []display.Column{
		{Head: "LINE", Keep: 1}, {Head: "SCHEDULE", Keep: 2}, {Head: "GUARD"}, {Head: "NAME", Keep: 3}, {Head: "COMMAND", Least: 16},
	}}
	for _, l := range jobs {
		command := l.Command
		if l.User != "" {
			command = l.User + ": " + command
		}
		guard := display.Text(guardWord(l))
		if l.State == crontab.Unguarded || l.State == crontab.Unknown {
			guard.Role = display.Warn
		}
		t.Add(display.Text(strconv.Itoa(l.Number)), display.Text(orDash(clip(printable(l.Schedule), 30))), guard,
			display.Text(orDash(printable(l.Name))), display.Text(orDash(shorten(printable(command)))))
		if l.Remark != "" {
			t.Below("      " + foldResult(l.Remark, 6) + "\n")
		}
	}
	return t
}

func guardWord(l *crontab.Line) string {
	switch l.State {
	case crontab.Unguarded:
		return "none"
	case crontab.Unknown:
		return "?"
	}
	return l.Guard
}
