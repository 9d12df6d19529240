package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sole-run/sole"
)

// runFlags is what `sole run` was asked for.
type runFlags struct {
	wait       bool
	limit      time.Duration // of the wait, -1 for none
	busyExit   int
	quiet      bool
	alertAfter int64         // the skip in a row that is spoken of first
	overrun    time.Duration // 0: twice what 95 in 100 runs take
	notify     string        // a command for the shell, "" for none
	maxTime    time.Duration
	grace      time.Duration
	until      string
	killTree   bool
	exec       bool
	dir        string
	files      []string
	program    string // the script file to hold too, "" for none
	jitter     time.Duration
	queue      bool
	replace    bool
	older      time.Duration // of the holder that --replace ends
	shared     bool
	slots      int
	method     string
	pidFile    string
	onto       []sole.Option // what lock says of its descriptor

	history []sole.Option // that keep it

	given map[string]bool // the flags that were there
}

const defaultGrace = 10 * time.Second

// newRunFlags declares the flags of run.
func newRunFlags(f *flags) *runFlags {
	o := defaultFlags()
	o.addWait(f)
	f.bool(&o.replace, "replace", 0, "end what holds NAME, and be the next")
	f.duration(&o.older, "older-than", 0, "with --replace: only if it has run for D")
	o.addShared(f)
	f.add(&flag{long: "slots", value: "N", help: "hold one of N slots of NAME, the lowest free one (SOLE_SLOT)", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || n < 1 || n > sole.MaxSlots {
			return fmt.Errorf("it is a number from 1 to %d", sole.MaxSlots)
		}
		o.slots = int(n)
		return nil
	}})
	o.addBusy(f)
	f.duration(&o.maxTime, "max-time", 0, "end COMMAND after D, and exit with 124")
	f.duration(&o.grace, "grace", 0, "how long after SIGTERM to send SIGKILL (10s)")
	f.add(&flag{long: "until", value: "main|tree", words: []string{"main", "tree"}, help: "hold NAME until COMMAND ends, or until its last descendant does", set: func(v string) error {
		if v != "main" && v != "tree" {
			return errors.New("it is main or tree")
		}
		o.until = v
		return nil
	}})
	f.bool(&o.killTree, "kill-tree", 0, "end the descendants that COMMAND leaves behind; with --replace also those of the run that is ended")
	f.bool(&o.exec, "exec", 0, "become COMMAND: nothing of sole stays in memory")
	f.string(&o.dir, "dir", 0, "DIR", dirHelp)
	f.strings(&o.files, "lock", 0, "FILE", "also hold FILE, a file or directory, so that users of flock(1), lckdo and the like take part")
	f.add(&flag{long: "method", value: "M", words: methods, help: "what else holds NAME: flock (nothing), pidfile, socket or abstract", set: func(v string) error {
		if !slices.Contains(methods, v) {
			return errors.New("it is flock, pidfile, socket or abstract")
		}
		o.method = v
		return nil
	}})
	f.string(&o.pidFile, "pidfile", 0, "FILE", "write the pid of COMMAND to FILE while it runs")
	f.string(&o.notify, "notify", 0, "CMD", "run CMD by the shell when a run fails, takes too long or is replaced, or a start is skipped (SOLE_EVENT)")
	f.duration(&o.overrun, "overrun", 0, "say so once COMMAND has run for D (to --notify without it: for twice what 95 in 100 runs take)")
	f.duration(&o.jitter, "jitter", 0, "begin after a random part of D")
	o.note(f)
	return o
}

func defaultFlags() *runFlags {
	return &runFlags{limit: -1, busyExit: exitBusy, grace: defaultGrace, until: "main", given: map[string]bool{}}
}

// note keeps in mind which flags were there.
func (o *runFlags) note(f *flags) {
	for _, fl := range f.all {
		set, long := fl.set, fl.long
		fl.set = func(v string) error { o.given[long] = true; return set(v) }
	}
}

func (o *runFlags) addWait(f *flags) {
	f.add(&flag{long: "wait", short: 'w', value: "D", optional: true, help: "wait until NAME is free, at most D", set: func(v string) (err error) {
		o.wait, o.limit = true, -1
		if v != "" {
			o.limit, err = parseDuration(v)
		}
		return err
	}})
	f.bool(&o.queue, "queue", 0, "wait, unless another start already does")
}

func (o *runFlags) addShared(f *flags) {
	f.bool(&o.shared, "shared", 's', "hold NAME together with others that share it")
}

func (o *runFlags) addBusy(f *flags) {
	f.add(&flag{long: "busy-exit", short: 'E', value: "N", help: "exit with N instead of 75 when NAME is held", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 8)
		if err != nil {
			return errors.New("an exit code is 0 to 255")
		}
		o.busyExit = int(n)
		return nil
	}})
	f.bool(&o.quiet, "quiet", 'q', "do not say why nothing was run")
	f.add(&flag{long: "alert-after", value: "N", help: "say why nothing was run only from the N-th skip in a row on", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n < 1 {
			return errors.New("it is a number from 1 on")
		}
		o.alertAfter = int64(n)
		return nil
	}})
}

var methods = []string{sole.MethodFlock, sole.MethodPidFile, sole.MethodSocket, sole.MethodAbstract}

const dirHelp = "where names live (SOLE_DIR)"
