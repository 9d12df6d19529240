package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/doctor"
)

// doctorTimeout is how long a check may take unless --timeout says otherwise.
const doctorTimeout = 5 * time.Second

var doctorCommand = &command{
	name:    "doctor",
	args:    "[PATH]",
	summary: "say whether locks work in the directory PATH, and whether it is safe",
	about: `PATH is where names live, or would: without it the directory of --dir, of
SOLE_DIR, or your own. A line a check: ok, warning, failure, or skipped because
something else failed; below it what to do. It takes no name and disturbs no
start. Exits with 0 unless a check failed; then with 77 if the place is unsafe
or forbidden, else 73 if a lock cannot be made there or excludes nobody, else
71.`,
	setup: func(f *flags) func([]string) int {
		var dir string
		var asJSON bool
		timeout := doctorTimeout
		f.bool(&asJSON, "json", 0, jsonHelp)
		f.duration(&timeout, "timeout", 0, "how long a check may take (5s)")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if doctor.IsHelper() {
				return doctor.Help()
			}
			place, err := doctorPlace(dir, args)
			if err == nil && timeout <= 0 {
				err = usageError("--timeout 0: a check needs some time")
			}
			if err != nil {
				return fail(err)
			}
			return examine(doctor.Options{Place: place, Timeout: timeout}, asJSON)
		}
	},
}

// doctorPlace is the directory that is meant.
func doctorPlace(dir string, args []string) (doctor.Place, error) {
	switch {
	case len(args) > 1:
		return doctor.Place{}, usageError("doctor: %q is too much: it takes one directory", shorten(args[1]))
	case len(args) == 1 && args[0] == "":
		return doctor.Place{}, usageError("doctor: PATH is empty")
	case len(args) == 1 && dir != "":
		return doctor.Place{}, usageError("doctor: PATH and --dir contradict each other")
	case len(args) == 1:
		return doctor.Place{Path: args[0], By: "PATH"}, nil
	case dir != "":
		return doctor.Place{Path: dir, By: "--dir"}, nil
	case os.Getenv("SOLE_DIR") != "":
		return doctor.Place{Path: os.Getenv("SOLE_DIR"), By: "SOLE_DIR"}, nil
	}
	return doctor.Place{}, nil
}

func examine(o doctor.Options, asJSON bool) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := cancelBySignal(cancel)
	results, err := doctor.Examine(ctx, o)
	if sig := ended(); sig != 0 {
		dieBy(sig)
		return 128 + int(sig)
	}
	if err != nil {
		return fail(err)
	}
	if asJSON {
		return max(diagnosis(results), printJSON(results))
	}
	return max(diagnosis(results), printText(describeResults(results, textWidth(), colours())))
}

// diagnosis is the exit code: that of the worst failure.
func diagnosis(results []doctor.Result) int {
	code := exitOK
	for _, r := range results {
		if r.Status != doctor.Failure {
			continue
		}
		switch r.Cause {
		case doctor.Unsafe:
			return exitNotAllowed
		case doctor.Lock:
			code = exitCantCreate
		default:
			code = max(code, exitOS)
		}
	}
	return code
}

// describeResults is a line a check, folded to width; on a narrow terminal the text is below.
func describeResults(results []doctor.Result, width int, p display.Palette) string {
	indent, below := 8+1+10+1, ""
	if width < 50 {
		indent, below = 2, "\n  "
	}
	var b strings.Builder
	for _, r := range results {
		status := p.Paint(statusRole(r.Status), fmt.Sprintf("%-8s", r.Status))
		fmt.Fprintf(&b, "%s %-10s %s%s\n", status, r.Name, below, fold(printable(r.Found), width-indent, indent))
		if r.Do != "" {
			fmt.Fprintf(&b, "%*s%s\n", indent, "", fold(printable("do: "+r.Do), width-indent, indent))
		}
	}
	return b.String()
}

func statusRole(s doctor.Status) display.Role {
	switch s {
	case doctor.OK:
		return display.Good
	case doctor.Warning:
		return display.Warn
	case doctor.Failure:
		return display.Bad
	}
	return display.Faint
}

// foldResult makes text printable and fits it between indent and the width.
func foldResult(text string, indent int) string {
	return fold(printable(text), textWidth()-indent, indent)
}
