package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/sole-run/sole/internal/crontab"
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
	if c := printed(jobTable(os.Stdout, jobs, terminalWidth())); c != exitOK {
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

// jobTable writes a line a job, and below it what is to be known. The command gets what is
// left of width.
func jobTable(out io.Writer, jobs []*crontab.Line, width int) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "LINE\tSCHEDULE\tGUARD\tNAME\tCOMMAND")
	for _, l := range jobs {
		command := l.Command
		if l.User != "" {
			command = l.User + ": " + command
		}
		_, _ = fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\n", l.Number, orDash(clip(printable(l.Schedule), 30)), guardWord(l),
			orDash(printable(l.Name)), orDash(shorten(printable(command))))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	i := -1        // the heading has no remark
	for line := range strings.Lines(b.String()) {
		text := clip(strings.TrimRight(line, " \n"), width) + "\n"
		if i >= 0 && jobs[i].Remark != "" {
			text += "      " + foldResult(jobs[i].Remark, 6) + "\n"
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
		i++
	}
	return nil
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
