package main

import (
	"os"

	"github.com/sole-run/sole/internal/display"
)

// This file alone knows whether standard output has colours, and how wide it is.

// colours is what standard output takes: none unless it is a terminal.
func colours() display.Palette {
	return display.Palette(isTerminal(1)) && display.Coloured(os.Getenv)
}

// textWidth is how wide sentences may be: as the help, or less on a narrow terminal.
func textWidth() int {
	if w := terminalWidth(); w > 0 {
		return min(w, helpWidth)
	}
	return helpWidth
}

// printTable writes a table to standard output, as wide as that is, and returns the exit code.
func printTable(t *display.Table) int { return printText(t.Render(terminalWidth(), colours())) }

func printText(s string) int {
	_, err := os.Stdout.WriteString(s)
	return printed(err)
}

// stateRole is how the state of a holder is shown.
func stateRole(word string) display.Role {
	switch word {
	case "free":
		return display.Faint
	case "orphaned", "elsewhere":
		return display.Warn
	}
	return display.Good
}
