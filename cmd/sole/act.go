package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/proc"
)

var waitCommand = &command{
	name:    "wait",
	args:    "NAME",
	summary: "wait until the run that holds NAME has ended",
	about: `Exits with 0 then, or at once if NAME is free, and with 124 when the time is up.
If several share NAME it waits for all that hold it now. It takes no lock.`,
	takesNames: true,
	setup: func(f *flags) func([]string) int {
		var dir string
		atMost := time.Duration(-1)
		f.duration(&atMost, "timeout", 'w', "wait at most D")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			n, err := oneName("wait", args)
			if err != nil {
				return fail(err)
			}
			ctx := context.Background()
			if atMost >= 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, atMost)
				defer cancel()
			}
			err = sole.Wait(ctx, n, sole.Dir(dir))
			if errors.Is(err, context.DeadlineExceeded) {
				say("%s still runs after %s", n, limit(atMost))
				return exitTimeout
			}
			if err != nil {
				return fail(err)
			}
			return exitOK
		}
	},
}

var stopCommand = &command{
	name:    "stop",
	args:    "NAME",
	summary: "end the run that holds NAME",
	about: `Sends SIGTERM to the command, SIGKILL after the grace, and then the same to
whatever else keeps the name; to all holders at the same time if several share
it. Exits with 0 once the run has ended, and at once if NAME is free.`,
	takesNames: true,
	setup: func(f *flags) func([]string) int {
		var dir string
		var slot int
		grace := defaultGrace
		addSlot(f, &slot)
		f.duration(&grace, "grace", 0, "how long after SIGTERM to send SIGKILL (10s)")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			n, err := oneName("stop", args)
			if err != nil {
				return fail(err)
			}
			killed, err := sole.Stop(context.Background(), n, grace, sole.Dir(dir), sole.AtSlot(slot))
			if err != nil {
				return failAct("stop", n, err)
			}
			if killed {
				say("%s did not end within %s and was killed", n, limit(grace))
			}
			return exitOK
		}
	},
}

var signalCommand = &command{
	name:    "signal",
	args:    "NAME SIG",
	summary: "send the signal SIG to what holds NAME",
	about: `SIG is a name, with or without SIG, or a number. It goes to the command, not to
its supervisor; to the commands of all holders if several share NAME. Exits with
3 if NAME is free.`,
	takesNames: true,
	setup: func(f *flags) func([]string) int {
		var dir string
		var slot int
		addSlot(f, &slot)
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if len(args) != 2 {
				return fail(usageError("signal: it takes a name and a signal"))
			}
			sig, err := parseSignal(args[1])
			if err != nil {
				return fail(err)
			}
			return sendSignal("signal", args[0], sig, dir, slot)
		}
	},
}

var reloadCommand = &command{
	name:       "reload",
	args:       "NAME",
	summary:    "send SIGHUP to what holds NAME",
	about:      "As 'sole signal NAME HUP'. Exits with 3 if NAME is free.",
	takesNames: true,
	setup: func(f *flags) func([]string) int {
		var dir string
		var slot int
		addSlot(f, &slot)
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			n, err := oneName("reload", args)
			if err != nil {
				return fail(err)
			}
			return sendSignal("reload", n, syscall.SIGHUP, dir, slot)
		}
	},
}

// addSlot adds the flag that picks one of several holders.
func addSlot(f *flags, slot *int) {
	f.add(&flag{long: "slot", value: "SLOT", help: "act on the holder of that slot only", set: func(v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || n < 1 || n > sole.MaxSlots {
			return fmt.Errorf("it is a number from 1 to %d", sole.MaxSlots)
		}
		*slot = int(n)
		return nil
	}})
}

func sendSignal(command, n string, sig syscall.Signal, dir string, slot int) int {
	if err := sole.Signal(n, sig, sole.Dir(dir), sole.AtSlot(slot)); err != nil {
		if slot > 0 {
			n += ": slot " + strconv.Itoa(slot)
		}
		return failAct(command, n, err)
	}
	return exitOK
}

// failAct reports that the holder of a name could not be reached.
func failAct(command, n string, err error) int {
	switch {
	case errors.Is(err, sole.ErrFree), errors.Is(err, syscall.ESRCH):
		return fail(&failure{exitFree, command + ": " + n + " is not running", ""})
	case errors.Is(err, sole.ErrElsewhere):
		_, h := classify(err)
		return fail(&failure{exitNotAllowed, command + ": " + n + ": " + err.Error(), h})
	case errors.Is(err, proc.ErrUnverified):
		return fail(&failure{exitNotAllowed, command + ": " + n + ": " + err.Error(), "run sole outside of what filters its system calls"})
	case errors.Is(err, syscall.EPERM):
		return fail(&failure{exitNotAllowed, command + ": " + n + " is held by a process that you may not signal", "act as its user, or as root"})
	case errors.Is(err, syscall.ETIMEDOUT):
		return fail(&failure{exitTimeout, command + ": " + n + " is still held after SIGKILL", "see 'sole status " + n + "'"})
	}
	return fail(err)
}

// parseSignal reads TERM, SIGTERM, term or 15.
func parseSignal(s string) (syscall.Signal, error) {
	if n, err := strconv.ParseUint(s, 10, 7); err == nil && n > 0 && n <= 64 {
		return syscall.Signal(n), nil
	}
	word := "SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if sig := signalNum(word); sig != 0 {
		return sig, nil
	}
	return 0, &failure{exitUsage, "there is no signal " + strconv.Quote(shorten(s)), "a signal is like HUP, SIGUSR1 or 15"}
}
