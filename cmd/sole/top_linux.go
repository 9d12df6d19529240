package main

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/supervise"
)

// runScreen runs the program that has the screen, and is to the outside as if it were that program. If
// that is killed, so that it cannot clean up, this process does.
func runScreen(path string, argv []string) int {
	before, err := unix.IoctlGetTermios(0, unix.TCGETS)
	isScreen := err == nil && isTerminal(1)
	result, err := supervise.Run(supervise.Spec{Path: path, Argv: argv, Env: os.Environ()})
	if err != nil {
		return failStart("top", path, argv[0], err)
	}
	if isScreen {
		leaveScreen(before)
	}
	return exitLike(result.Status)
}

// leaveScreen does what a screen does at its end, unless it did: then the terminal is as it was
// before.
func leaveScreen(before *unix.Termios) {
	now, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil || *now == *before {
		return
	}
	_ = unix.IoctlSetTermios(0, unix.TCSETSF, before)
	// The end of synchronized output, of bracketed paste, of the alternate screen; the cursor and plain text.
	_, _ = os.Stdout.WriteString("\x1b[?2026l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m\r")
}
