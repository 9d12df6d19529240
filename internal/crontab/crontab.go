// Package crontab reads a crontab and puts `sole run NAME --` into its jobs.
//
// It knows cron's lines and enough of the shell's words to see where a command begins and
// ends. It runs nothing, opens nothing and prints nothing. What it does not understand it
// leaves alone, and says why: every byte that is not part of a job's command stays as it is.
package crontab

import "strings"

// Kind is what a line of a crontab is.
type Kind string

const (
	Blank   Kind = "blank"
	Comment Kind = "comment"
	Setting Kind = "setting" // NAME=value
	Job     Kind = "job"
	Strange Kind = "strange" // nothing that cron would take, as far as is known here
)

// State is what keeps a job from running twice at a time.
type State string

const (
	Unguarded State = "unguarded"
	Guarded   State = "guarded" // by another program, which Guard names
	BySole    State = "sole"
	Unknown   State = "unknown" // the command cannot be read
)

// Line is one line.
type Line struct {
	Number   int
	Kind     Kind
	Schedule string // the five fields, or @daily and the like
	User     string // of a system crontab
	Command  string // as it stands there, up to the first % that means a new line

	State  State
	Guard  string // the program that guards it
	Name   string // that it has, or would get; empty if it is left alone
	Remark string // what a reader should know
	Edits  []Edit

	raw     string // with its end
	start   int    // of Command in raw
	shell   string // SHELL of the crontab at this line
	path    string // PATH of the crontab at this line, or cron's own
	dir     string // SOLE_DIR of the crontab at this line
	plan    *plan  // what is to be put in, once it has a name
	lockKey string // of the lock file, if a guard has one
}

// Edit replaces the Len bytes at At of a line by Text.
type Edit struct {
	At   int
	Len  int
	Text string
}

// Tab is a crontab.
type Tab struct{ Lines []*Line }

// Options say how a crontab is read.
type Options struct {
	System bool // the jobs have a user between schedule and command
}

// What cron gives a job unless the crontab says otherwise.
const (
	cronShell = "/bin/sh"
	cronPath  = "/usr/bin:/bin"
)

// Parse reads a crontab. It takes every input.
func Parse(text string, o Options) *Tab {
	t := &Tab{}
	shell, path, dir := cronShell, cronPath, ""
	for raw := range strings.Lines(text) {
		l := &Line{Number: len(t.Lines) + 1, raw: raw, shell: shell, path: path, dir: dir}
		l.read(o)
		if l.Kind == Setting {
			switch name, value := setting(raw); name {
			case "SHELL":
				shell = value
			case "PATH":
				path = value
			case "SOLE_DIR":
				dir = value
			}
		}
		t.Lines = append(t.Lines, l)
	}
	return t
}

// Jobs are the lines that cron runs, and those of which that is not known.
func (t *Tab) Jobs() []*Line {
	var jobs []*Line
	for _, l := range t.Lines {
		if l.Kind == Job || l.Kind == Strange {
			jobs = append(jobs, l)
		}
	}
	return jobs
}

// String is the crontab with all edits.
func (t *Tab) String() string {
	var b strings.Builder
	for _, l := range t.Lines {
		b.WriteString(l.Text())
	}
	return b.String()
}

// Text is the line with its edits.
func (l *Line) Text() string {
	var b strings.Builder
	at := 0
	for _, e := range l.Edits {
		b.WriteString(l.raw[at:e.At])
		b.WriteString(e.Text)
		at = e.At + e.Len
	}
	b.WriteString(l.raw[at:])
	return b.String()
}
