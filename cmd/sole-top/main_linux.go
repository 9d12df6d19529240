// Command sole-top is the live screen of `sole top`, which starts it. It is a program of its own because what
// it is made of would make every other start of sole slower and sole larger.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/top"
)

// Exit codes, as those of sole.
const (
	exitOK    = 0
	exitUsage = 64
	exitBug   = 70
	exitOS    = 71
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var o top.Options
	var once bool
	var under int
	f := flag.NewFlagSet("sole-top", flag.ContinueOnError)
	f.StringVar(&o.Dir, "dir", "", "the directory where names live")
	f.DurationVar(&o.Every, "every", time.Second, "how often to look")
	f.DurationVar(&o.Grace, "grace", 10*time.Second, "how long after SIGTERM a stop sends SIGKILL")
	f.BoolVar(&once, "once", false, "print the list once")
	f.IntVar(&under, "under", 0, "the pid of the sole that started this program, and without which it ends")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case f.NArg() > 0 || o.Every <= 0:
		f.Usage()
		return exitUsage
	}
	if under != 0 {
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
		if os.Getppid() != under {
			return exitOK
		}
	}
	o.ASCII = !utf8Locale(os.Getenv)
	src, err := newSource(o.Dir)
	if err != nil {
		say("%s", src.Explain(err))
		return exitOS
	}
	o.Dir = src.path
	if once {
		return printOnce(src, o)
	}
	o.Colours = display.Coloured(os.Getenv)
	return show(top.New(src, o))
}

// utf8Locale reports whether the terminal is said to show more than ASCII (locale(7)).
func utf8Locale(getenv func(string) string) bool {
	for _, v := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if l := getenv(v); l != "" {
			return utf8Name(l)
		}
	}
	return false
}

// printOnce prints the list and no screen.
func printOnce(src *source, o top.Options) int {
	width := 0
	if ws, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ); err == nil {
		width = int(ws.Col)
		o.Colours = display.Coloured(os.Getenv)
	}
	s := src.Look(true)
	code := exitOK
	if s.Err != nil {
		say("%s", src.Explain(s.Err))
		code = exitOS
	}
	text := top.Once(s, o, width)
	if text == "" && s.Err == nil {
		say("no name is held, and none ran before")
	}
	if _, err := os.Stdout.WriteString(text); err != nil {
		say("cannot write to standard output: %v", err)
		return exitOS
	}
	return code
}

// say writes one message, as sole does.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "sole: %s\n", display.Printable(fmt.Sprintf(format, args...)))
}
