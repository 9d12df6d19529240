package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
)

const jsonHelp = "print JSON"

var lsCommand = &command{
	name:    "ls",
	summary: "list the names that are held",
	about: `Lists who holds what, in the order of the names, a line a holder. Looking takes
no lock and disturbs no start.`,
	setup: func(f *flags) func([]string) int {
		var dir string
		var asJSON, all bool
		f.bool(&all, "all", 'a', "also list the free names that have run before")
		f.bool(&asJSON, "json", 0, jsonHelp)
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if len(args) > 0 {
				return fail(usageError("ls: %q is too much; for one name there is 'sole status NAME'", shorten(args[0])))
			}
			return list(dir, all, asJSON)
		}
	},
}

// list prints the names in dir.
func list(dir string, all, asJSON bool) int {
	names, err := sole.List(sole.Dir(dir))
	code := exitOK
	if err != nil {
		code = fail(err)
		if names == nil {
			return code
		}
	}
	shown, free := make([]sole.Status, 0, len(names)), 0
	for _, st := range names {
		if st.State == sole.Held {
			for _, h := range st.Holders() {
				shown = append(shown, tidy(h))
			}
		} else if all {
			shown = append(shown, tidy(st))
		} else {
			free++
		}
	}
	if asJSON {
		return max(code, printJSON(shown))
	}
	if len(shown) == 0 {
		more := ""
		if free > 0 {
			more = fmt.Sprintf(" (%d free, see 'sole ls --all')", free)
		}
		say("no name is held%s", more)
		return code
	}
	return max(code, printTable(holderTable(shown, time.Now())))
}

// holderTable has a line a holder. A narrow terminal leaves out what is needed least.
func holderTable(names []sole.Status, now time.Time) *display.Table {
	t := &display.Table{Columns: []display.Column{
		{Head: "NAME", Least: 24}, {Head: "STATE", Keep: 8}, {Head: "PID", Keep: 6}, {Head: "USER", Keep: 3, Least: 8}, {Head: "SINCE", Keep: 4},
		{Head: "FOR", Keep: 7}, {Head: "RUN", Keep: 1}, {Head: "SKIPS", Keep: 2}, {Head: "WAITING", Keep: 2}, {Head: "COMMAND", Keep: 5, Least: 16},
	}}
	for _, st := range names {
		pid, since, lasts, skips, waits := "-", "-", "-", "-", "-"
		if st.State == sole.Held {
			skips, waits = strconv.FormatInt(st.Skips, 10), strconv.Itoa(st.Waiters)
			if p := max(st.PID, 0); p != 0 {
				pid = strconv.Itoa(p)
			} else if st.ChildPID != 0 {
				pid = strconv.Itoa(st.ChildPID)
			}
		}
		if !st.StartedAt.IsZero() {
			since, lasts = clockTime(st.StartedAt, now), lasting(elapsed(st))
		}
		state := stateWord(st)
		t.Add(display.Text(st.Name), display.Cell{Text: state, Role: stateRole(state)}, display.Text(pid),
			display.Text(printable(orDash(st.User))), display.Text(since), display.Cell{Text: lasts, Role: longRole(st)}, display.Text(strconv.FormatUint(st.Run, 10)),
			display.Text(skips), display.Text(waits), display.Text(orDash(words(st.Command, 0))))
	}
	return t
}

// longRole is how the time of a run is shown: one that takes twice the usual stands out.
func longRole(st sole.Status) display.Role {
	if st.UsualSeconds > 0 && st.Seconds > 2*st.UsualSeconds {
		return display.Warn
	}
	return display.Plain
}

func stateWord(st sole.Status) string {
	switch {
	case st.Orphaned:
		return "orphaned"
	case st.Elsewhere:
		return "elsewhere"
	case st.Slot > 0:
		return fmt.Sprintf("slot %d", st.Slot)
	case st.Mode == sole.SharedBy:
		return "shared"
	}
	return string(st.State)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

var statusCommand = &command{
	name:       "status",
	args:       "NAME",
	summary:    "say who holds NAME",
	about:      "Exits with 0 if NAME is held and with 3 if it is free. Looking takes no lock.",
	takesNames: true,
	freeNames:  true,
	setup: func(f *flags) func([]string) int {
		var dir string
		var asJSON, quiet bool
		f.bool(&asJSON, "json", 0, jsonHelp)
		f.bool(&quiet, "quiet", 'q', "say nothing, only exit")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			n, err := oneName("status", args)
			if err != nil {
				return fail(err)
			}
			st, err := sole.Inspect(n, sole.Dir(dir))
			if err != nil {
				return fail(err)
			}
			code := exitOK
			if st.State == sole.Free {
				code = exitFree
			}
			st = tidy(st)
			switch {
			case quiet:
				return code
			case asJSON:
				return max(code, printJSON(st))
			}
			return max(code, printed(describe(os.Stdout, st, time.Now(), colours())))
		}
	},
}

// describe writes what is known of a name, a line a fact.
func describe(out io.Writer, st sole.Status, now time.Time, p display.Palette) error {
	var b strings.Builder
	fact := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", key, printable(fmt.Sprintf(format, args...)))
	}
	waiting := func() {
		if st.Waiters == 0 && st.State == sole.Held {
			fact("waiting", "0")
		}
		for i, w := range st.Waiting {
			if i == mostWaiters {
				fact("waiting", "and %d more", len(st.Waiting)-i)
				break
			}
			fact("waiting", "%s", waiterLine(w))
		}
	}
	head := func(text string, r display.Role) {
		fmt.Fprintf(&b, "%s %s\n", p.Paint(display.Strong, fmt.Sprintf("%-9s", printable(st.Name))), p.Paint(r, text))
	}
	if st.State == sole.Free {
		head("free", display.Faint)
		waiting()
		if st.Run > 0 {
			fact("last run", "%d", st.Run)
		}
		fact("file", "%s", st.Path)
		_, err := io.WriteString(out, b.String())
		return err
	}
	head(headline(st), stateRole(stateWord(st)))
	if st.Mode != sole.Alone {
		for _, h := range st.Holders() {
			fact(stateWord(h), "%s, run %d", who(h), h.Run)
		}
		fact("skips", "%d", st.Skips)
		waiting()
		fact("file", "%s", st.Path)
		_, err := io.WriteString(out, b.String())
		return err
	}
	if len(st.Command) > 0 {
		fact("command", "%s", words(st.Command, 0))
	}
	switch {
	case st.Orphaned && st.ChildPID != 0:
		fact("pid", "%d (its supervisor was killed)", st.ChildPID)
	case st.ChildPID != 0:
		fact("pid", "%d, supervised by %d", st.ChildPID, st.PID)
	case st.PID != 0:
		fact("pid", "%d", st.PID)
	}
	for _, pid := range st.Leftover {
		fact("left", "pid %d (%s)", pid, words(commandOf(pid), 60))
	}
	if st.User != "" {
		fact("user", "%s", st.User)
	}
	if st.Cwd != "" {
		fact("directory", "%s", st.Cwd)
	}
	if !st.StartedAt.IsZero() {
		fact("since", "%s (%s%s)", clockTime(st.StartedAt, now), lasting(elapsed(st)), usually(st))
	}
	if st.Replaced > 0 {
		fact("run", "%d, in place of %d", st.Run, st.Replaced)
	} else {
		fact("run", "%d", st.Run)
	}
	fact("skips", "%d", st.Skips)
	waiting()
	fact("file", "%s", st.Path)
	_, err := io.WriteString(out, b.String())
	return err
}

// mostWaiters is how many waiters are named.
const mostWaiters = 10

// waiterLine says who waits.
func waiterLine(w sole.Waiter) string {
	var b strings.Builder
	if w.PID == 0 {
		b.WriteString("a process that cannot be seen from here")
	} else {
		fmt.Fprintf(&b, "pid %d (%s)", w.PID, words(w.Command, 60))
	}
	fmt.Fprintf(&b, " for %s", lasting(time.Duration(w.Seconds*float64(time.Second))))
	switch w.For {
	case "replace":
		b.WriteString(", to replace it")
	case string(sole.SharedBy):
		b.WriteString(", to share it")
	case string(sole.SlotsUsed):
		b.WriteString(", for a slot")
	}
	if w.Stopped {
		b.WriteString(", stopped: others go past it")
	}
	return b.String()
}

func headline(st sole.Status) string {
	switch {
	case st.Mode != sole.Alone:
		return fmt.Sprintf("held by %d", len(st.Others)+1)
	case st.Orphaned && st.ChildPID == 0:
		return "held by a process that cannot be seen from here"
	case st.Orphaned:
		return "held, orphaned"
	case st.Elsewhere:
		return "held in another pid namespace or on another host, where its pids mean something"
	case len(st.Leftover) > 0:
		return "held; the command has ended, its descendants have not"
	}
	return "held"
}

// commandOf reads the command line of a process.
func commandOf(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(b) == 0 {
		return []string{"?"}
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// tidy makes lists that are empty be lists in JSON too.
func tidy(st sole.Status) sole.Status {
	for i := range st.Others {
		st.Others[i] = tidy(st.Others[i])
	}
	for i, w := range st.Waiting {
		if w.Command == nil {
			st.Waiting[i].Command = []string{}
		}
	}
	if st.Command == nil {
		st.Command = []string{}
	}
	if st.Leftover == nil {
		st.Leftover = []int{}
	}
	return st
}

func printJSON(v any) int {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return printed(e.Encode(v))
}

// printed is the exit code for having written to standard output.
func printed(err error) int {
	if err == nil {
		return exitOK
	}
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fail(&failure{exitOS, "cannot write to standard output: " + err.Error(), ""})
}

// oneName is the single argument of a command.
func oneName(command string, args []string) (string, error) {
	switch len(args) {
	case 0:
		return "", &failure{exitUsage, command + ": a name is missing", "'sole ls' lists those that are held"}
	case 1:
		return args[0], nil
	}
	return "", usageError("%s: %q is too much: it takes one name", command, shorten(args[1]))
}
