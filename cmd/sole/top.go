package main

import (
	"errors"
	"os"
	"strconv"
	"time"
)

var topCommand = &command{
	name:    "top",
	summary: "show on a live screen who holds what",
	about: `Shows the names, how long their runs have lasted against how long they usually
do, who waits, what was skipped, and how the last runs ended. Keys stop a run,
signal it, and show its log; ? lists them. Looking takes no lock and disturbs no
start. Without a terminal on standard output it prints the list once.`,
	setup: func(f *flags) func([]string) int {
		o := topFlags{every: time.Second, grace: defaultGrace}
		f.duration(&o.every, "every", 'd', "how often to look (1s)")
		f.bool(&o.once, "once", '1', "print the list once, and leave")
		f.duration(&o.grace, "grace", 0, "how long after SIGTERM a stop sends SIGKILL (10s)")
		f.string(&o.dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if len(args) > 0 {
				return fail(usageError("top: %q is too much: it shows all names", shorten(args[0])))
			}
			return o.run()
		}
	},
}

type topFlags struct {
	dir          string
	every, grace time.Duration
	once         bool
}

// shortestEvery is how often the screen may look: more is not seen.
const shortestEvery = 100 * time.Millisecond

// run starts the program that has the screen: what it is made of would slow down every other start of sole.
func (o *topFlags) run() int {
	o.once = o.once || !isTerminal(1)
	if err := o.check(os.Getenv("TERM")); err != nil {
		return fail(err)
	}
	path, err := helperProgram("sole-top")
	if err != nil {
		return fail(err)
	}
	argv := []string{path, "-every=" + o.every.String(), "-grace=" + o.grace.String(), "-under=" + strconv.Itoa(os.Getpid())}
	if o.dir != "" {
		argv = append(argv, "-dir="+o.dir)
	}
	if o.once {
		argv = append(argv, "-once")
	}
	return runScreen(path, argv)
}

// check refuses what cannot be shown.
func (o *topFlags) check(term string) error {
	switch {
	case o.every < shortestEvery:
		return usageError("--every %s: at least %s", o.every, shortestEvery)
	case o.once:
		return nil
	case term == "" || term == "dumb":
		return &failure{exitUsage, "top: the terminal cannot move its cursor: TERM is " + strconv.Quote(term), "see 'sole top --once' or 'sole ls'"}
	case !isTerminal(0):
		return &failure{exitUsage, "top: standard input is not a terminal, so there are no keys", "see 'sole top --once' or 'sole ls'"}
	}
	return nil
}

// helperProgram finds a program that belongs to sole: beside it, where packages put such programs,
// or in PATH.
func helperProgram(name string) (string, error) {
	var places []string
	if self, err := os.Executable(); err == nil {
		dir := dirOf(self)
		places = append(places, dir+"/"+name, dirOf(dir)+"/libexec/sole/"+name)
	}
	for _, path := range append(places, "/usr/libexec/sole/"+name) {
		if runnable(path, name) == nil {
			return path, nil
		}
	}
	path, err := lookPath(name)
	var f *failure
	if errors.As(err, &f) {
		return "", &failure{f.code, "top: the program " + name + " is missing", "install it beside sole, as 'make install' does"}
	}
	return path, err
}
