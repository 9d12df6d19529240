package main

import (
	"errors"
	"slices"
)

// command is one of sole's commands. Help, the manual page and the completion are
// made from it.
type command struct {
	name    string
	args    string // what follows the flags
	summary string
	about   string // what help says beyond the summary
	// setup declares the flags and returns what to do with the words behind them.
	setup func(*flags) func(words []string) int
	// stopsAtName ends the flags at the first word that is none: what follows is
	// somebody else's.
	stopsAtName bool
	takesNames  bool // completion offers the names that are held
	freeNames   bool // and those that are free, but ran before
}

func commands() []*command {
	return []*command{
		runCommand, scriptCommand, lockCommand, lsCommand, topCommand, statusCommand, waitCommand, stopCommand, signalCommand,
		reloadCommand, sendCommand, historyCommand, reportCommand, metricsCommand, doctorCommand, crontabCommand, pathCommand, cleanCommand, completionCommand, versionCommand, helpCommand,
	}
}

func commandNamed(name string) *command {
	all := commands()
	i := slices.IndexFunc(all, func(c *command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

// main takes the flags and runs the command.
func (c *command) main(args []string) int {
	f := &flags{}
	do := c.setup(f)
	var help bool
	f.bool(&help, "help", 'h', "say how to use this command")
	words, err := f.parse(args, c.stopsAtName)
	var bad *failure
	if errors.As(err, &bad) && bad.hint == seeHelp {
		bad.hint = "see 'sole help " + c.name + "'"
	}
	if err != nil {
		return fail(err)
	}
	if help {
		return c.help()
	}
	return do(words)
}
