package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/name"
)

var runCommand = &command{
	name:    "run",
	args:    "[NAME] [--] COMMAND [ARG…]",
	summary: "run COMMAND unless NAME is held",
	about: `Runs COMMAND while NAME is held, so that only one instance runs. When another
one holds it, sole says who on standard error and exits with 75, without running
anything. Without NAME ("sole run -- COMMAND") the name is made from the exact
words of COMMAND. The command's exit code is passed on; if a signal killed it,
sole dies of the same one.`,
	stopsAtName: true,
	takesNames:  true,
	freeNames:   true,
	setup:       func(f *flags) func([]string) int { return newRunFlags(f).run },
}

// run takes NAME and COMMAND apart and starts it.
func (o *runFlags) run(args []string) int {
	n, argv, err := splitCommand(args)
	if err != nil {
		return fail(err)
	}
	return o.start(n, argv)
}

// start takes the name and runs the command.
func (o *runFlags) start(n string, argv []string) int {
	if err := o.check(); err != nil {
		return fail(err)
	}
	if o.jitter > 0 {
		time.Sleep(rand.N(o.jitter))
	}
	var err error
	if o.history, err = keepHistory(); err != nil {
		return fail(err)
	}
	began := time.Now()
	lock, err := o.acquire(n, argv)
	if err != nil {
		return o.refused(n, err, began, argv)
	}
	warnSquatted(lock)
	if early.Started() { // before the Go runtime was: go on from there
		return o.supervise(lock, "", argv, nil)
	}
	path, err := lookPath(argv[0])
	if err != nil {
		return o.ended(lock, neverRan(failFor(n, err)), argv)
	}
	if err := lock.Inherit(); err != nil {
		return o.ended(lock, neverRan(fail(err)), argv)
	}
	env := environment(lock)
	if o.exec {
		return o.ended(lock, neverRan(become(lock, path, argv, env)), argv)
	}
	return o.supervise(lock, path, argv, env)
}

// ended gives the name back after a run that ended so, says so to whom it may concern, and returns the
// exit code.
func (o *runFlags) ended(lock *sole.Lock, end sole.End, argv []string) int {
	_ = released(lock.Name(), lock.ReleaseAs(end))
	tell := notifier{command: o.notify, dir: o.dir}
	o.tellEnded(&tell, lock, end, argv)
	tell.wait()
	return end.ExitCode
}

// splitCommand takes NAME and COMMAND apart. Without a NAME there is a "--" in its place.
func splitCommand(args []string) (n string, argv []string, err error) {
	const form = "sole run [FLAGS] NAME -- COMMAND [ARG…]"
	if len(args) == 0 {
		return "", nil, &failure{exitUsage, "run: a name and a command are missing", form}
	}
	made := args[0] == "--"
	if !made {
		n, args = args[0], args[1:]
		if err := name.Check(n); err != nil {
			var bad *name.Error
			errors.As(err, &bad)
			return "", nil, &sole.NameError{Name: bad.Name, Reason: bad.Reason}
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	switch {
	case len(args) == 0 && made:
		return "", nil, &failure{exitUsage, "run: there is no command behind --", form}
	case len(args) == 0:
		return "", nil, &failure{exitUsage, fmt.Sprintf("run: there is no command for %s", n), form}
	case args[0] == "":
		return "", nil, &failure{exitUsage, "run: the command is an empty word", form}
	}
	if made {
		n = name.FromCommand(args)
	}
	return n, args, nil
}

func (o *runFlags) acquire(n string, argv []string) (*sole.Lock, error) {
	cwd, _ := os.Getwd() // a deleted directory has no path
	opts := append([]sole.Option{sole.Dir(o.dir), sole.Command(argv...), sole.Cwd(cwd)}, o.onto...)
	opts = append(opts, o.history...)
	opts = append(opts, sole.Method(o.method), sole.PidFile(o.pidFile))
	if o.program != "" {
		opts = append(opts, sole.ProgramFile(o.program))
	}
	for _, file := range o.files {
		opts = append(opts, sole.File(file))
	}
	// Whatever comes before the command starts is sole's own: SIGQUIT would have
	// the Go runtime print its stacks.
	defaultQuit()
	keepIgnored()
	if o.shared {
		opts = append(opts, sole.Shared())
	}
	opts = append(opts, sole.Slots(o.slots))
	if !o.waits() {
		return sole.TryAcquire(n, opts...)
	}
	if !o.replace && !o.queue && !o.quiet && isTerminal(2) {
		if st, err := sole.Inspect(n, sole.Dir(o.dir)); err == nil && st.State == sole.Held && !o.hasRoom(st) {
			say("waiting for %s: %s", n, who(st))
		}
	}
	ctx, cancel := o.patience()
	defer cancel()
	if o.queue {
		opts = append(opts, sole.Queue())
	}
	if o.replace {
		opts = append(opts, sole.Replace(sole.Replacement{Grace: o.grace, OlderThan: o.older, Tree: o.killTree}))
	}
	return sole.Acquire(ctx, n, opts...)
}

// patience is the context of a wait.
func (o *runFlags) patience() (context.Context, context.CancelFunc) {
	if o.limit > 0 {
		return context.WithTimeout(context.Background(), o.limit)
	}
	return context.Background(), func() {}
}

// waits reports whether to wait for the name.
func (o *runFlags) waits() bool { return (o.wait || o.queue || o.replace) && o.limit != 0 }

// environment is the command's: this one with what sole says to it.
func environment(lock *sole.Lock) []string {
	const nameVar, runVar, heldVar = "SOLE_NAME=", "SOLE_RUN=", "SOLE_HELD="
	inherited := os.Environ()
	env := make([]string, 0, len(inherited)+3)
	held := ""
	for _, v := range inherited {
		switch {
		case hasPrefix(v, nameVar), hasPrefix(v, runVar), hasPrefix(v, "SOLE_SLOT="),
			hasPrefix(v, "SOLE_TOKEN="), hasPrefix(v, "SOLE_TICK="):
		case hasPrefix(v, heldVar):
			held = v[len(heldVar):] + " "
		default:
			env = append(env, v)
		}
	}
	if slot := lock.Slot(); slot > 0 {
		env = append(env, "SOLE_SLOT="+strconv.Itoa(slot))
	}
	return append(env, nameVar+lock.Name(), runVar+strconv.FormatUint(lock.Run(), 10), heldVar+held+lock.Name())
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

// exitLike ends this process as the command ended.
func exitLike(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		dieBy(ws.Signal())
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
