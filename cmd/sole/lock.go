package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/sole-run/sole"
)

// lockFlags is what `sole lock` was asked for.
type lockFlags struct {
	*runFlags
	fd     int // -1: not given
	unlock bool
}

var lockCommand = &command{
	name:    "lock",
	args:    "--fd N [NAME]",
	summary: "lock an open descriptor, for the rest of a shell script",
	about: `Locks what descriptor N of the shell is open on. The shell keeps the lock until
it ends, or closes N, and so does all that it starts with N open.

Without NAME it is a file or directory, locked as by flock(1):
  exec 9<"$0"; sole lock --fd 9 || exit

With NAME the shell holds NAME: ls and status show it, stop and signal reach it:
  exec 9<>"$(sole path --make NAME)"; sole lock --fd 9 NAME || exit`,
	takesNames: true,
	freeNames:  true,
	setup:      setupLock,
}

func setupLock(f *flags) func([]string) int {
	o := &lockFlags{runFlags: defaultFlags(), fd: -1}
	f.add(&flag{long: "fd", value: "N", help: "the descriptor, which the shell has opened", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n > math.MaxInt32 {
			return errors.New("it is the number of a descriptor")
		}
		o.fd = int(n)
		return nil
	}})
	o.addWait(f)
	o.addShared(f)
	f.bool(&o.unlock, "unlock", 'u', "give the lock up")
	o.addBusy(f)
	f.string(&o.dir, "dir", 0, "DIR", dirHelp)
	o.note(f)
	return o.run
}

func (o *lockFlags) run(args []string) int {
	n := ""
	if len(args) > 0 {
		n = args[0]
	}
	if err := o.check(args); err != nil {
		return fail(err)
	}
	defaultQuit()
	shell := os.Getppid()
	if err := inherited(o.fd, shell); err != nil {
		return fail(err)
	}
	switch {
	case o.unlock:
		return o.giveUp(n, shell)
	case n == "":
		return o.lockFile()
	}
	o.onto = []sole.Option{sole.Descriptor(o.fd, shell)}
	var err error
	if o.history, err = keepHistory(); err != nil {
		return fail(err)
	}
	lock, err := o.acquire(n, nil)
	if err != nil {
		return o.refused(n, err, time.Now(), nil)
	}
	if os.Getppid() != shell {
		_ = lock.Release()
		return fail(&failure{exitOS, fmt.Sprintf("the shell that was to hold %s, pid %d, has ended", n, shell), ""})
	}
	return exitOK // and the shell has the lock
}

// check refuses what makes no sense.
func (o *lockFlags) check(args []string) error {
	const form = "exec 9<\"$0\"; sole lock --fd 9 || exit"
	switch {
	case len(args) > 1:
		return usageError("lock: %q is too much: it takes one name", shorten(args[1]))
	case len(args) == 1 && args[0] == "":
		return usageError("lock: the name is an empty word")
	case o.fd < 0:
		return &failure{exitUsage, "lock: --fd is missing", form}
	case o.given["busy-exit"] && o.busyExit == 0:
		return &failure{exitUsage, "lock: with --busy-exit 0 the script would go on without the lock",
			"sole lock … || { [ $? -eq 75 ] && exit 0; exit 1; }"}
	case o.queue && len(args) == 0:
		return usageError("lock: --queue needs a name: only names have a queue")
	case o.given["dir"] && len(args) == 0:
		return usageError("lock: --dir needs a name")
	}
	for _, long := range []string{"wait", "queue", "shared", "busy-exit"} {
		if o.unlock && o.given[long] {
			return &failure{exitUsage, "--unlock and --" + long + " contradict each other: nothing is to be locked", "leave one of them out"}
		}
	}
	return o.runFlags.check()
}

// lockFile locks whatever the descriptor is open on.
func (o *lockFlags) lockFile() int {
	var opts []sole.Option
	if o.shared {
		opts = append(opts, sole.Shared())
	}
	var err error
	if o.waits() {
		ctx, cancel := o.patience()
		defer cancel()
		err = sole.LockDescriptor(ctx, o.fd, opts...)
	} else {
		err = sole.TryLockDescriptor(o.fd, opts...)
	}
	if err != nil {
		return o.refused("", err, time.Now(), nil)
	}
	return exitOK
}

// giveUp frees what the descriptor holds. If that is nothing, what was asked for is so.
func (o *lockFlags) giveUp(n string, shell int) int {
	if n != "" {
		opts, err := keepHistory()
		if err != nil {
			return fail(err)
		}
		lock, err := sole.Resume(n, append(opts, sole.Dir(o.dir), sole.Descriptor(o.fd, shell))...)
		if err == nil {
			err = released(n, lock.ReleaseAs(leftAlone))
		}
		if err != nil && !errors.Is(err, sole.ErrFree) {
			return fail(err)
		}
	}
	if err := sole.UnlockDescriptor(o.fd); err != nil {
		return fail(err)
	}
	return exitOK
}
