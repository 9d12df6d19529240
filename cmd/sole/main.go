// The runtime would read the control group's CPU limit at the start and again every
// second, which a program that waits for another one has no use for.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command sole lets only one instance of a program run.
//
// The manual is in docs/man; `sole help` is short for it.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

// Exit codes, for the most part those of sysexits.h.
const (
	exitOK         = 0
	exitFailed     = 1 // send: the program that holds the name failed
	exitFree       = 3 // status, signal, reload, send: nobody holds the name
	exitUsage      = 64
	exitNoAnswer   = 69
	exitBug        = 70
	exitOS         = 71
	exitCantCreate = 73
	exitBusy       = 75
	exitNotAllowed = 77
	exitConfig     = 78
	exitTimeout    = 124
	exitNotExec    = 126
	exitNotFound   = 127
)

func main() { os.Exit(dispatch(os.Args[1:])) }

// dispatch runs the command that args name, and returns the exit code. The Go runtime
// would exit with 2 on a panic, which could be taken for the command's own.
func dispatch(args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			say("a bug in sole: %v", r)
			_, _ = os.Stderr.Write(debug.Stack())
			hint("report the lines above; what was running goes on and keeps its name")
			code = exitBug
		}
	}()
	if len(args) == 0 {
		usage(os.Stderr)
		return exitUsage
	}
	if words := hashBang(args[0]); words != nil {
		args = append(words, args[1:]...)
	}
	word := args[0]
	switch word {
	case notifyWord:
		return notify(args[1:])
	case "-h", "--help":
		word = "help"
	case "-V", "--version":
		word = "version"
	}
	c := commandNamed(word)
	if c == nil {
		var there []string
		for _, c := range commands() {
			there = append(there, c.name)
		}
		return fail(unknown(fmt.Sprintf("there is no command %q", shorten(word)), word, there))
	}
	return c.main(args[1:])
}
