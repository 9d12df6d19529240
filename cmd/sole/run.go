package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/name"
)

// runFlags is what `sole run` was asked for.
type runFlags struct {
	wait     bool
	limit    time.Duration // of the wait, -1 for none
	busyExit int
	quiet    bool
	maxTime  time.Duration
	grace    time.Duration
	until    string
	killTree bool
	exec     bool
	dir      string
	files    []string
	program  string // the script file to hold too, "" for none
	jitter   time.Duration
	queue    bool
	replace  bool
	older    time.Duration // of the holder that --replace ends
	shared   bool
	slots    int
	method   string
	pidFile  string
	onto     []sole.Option // what lock says of its descriptor

	given map[string]bool // the flags that were there
}

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
	setup:       func(f *flags) func([]string) int { return newRunFlags(f).run },
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
}

var methods = []string{sole.MethodFlock, sole.MethodPidFile, sole.MethodSocket, sole.MethodAbstract}

const dirHelp = "where names live (SOLE_DIR)"

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
	lock, err := o.acquire(n, argv)
	if err != nil {
		return o.refused(n, err)
	}
	warnSquatted(lock)
	if early.Started() { // before the Go runtime was: go on from there
		return o.supervise(lock, "", argv, nil)
	}
	path, err := lookPath(argv[0])
	if err != nil {
		_ = lock.Release()
		return fail(err)
	}
	if err := lock.Inherit(); err != nil {
		_ = lock.Release()
		return fail(err)
	}
	env := environment(lock)
	if o.exec {
		return become(lock, path, argv, env)
	}
	return o.supervise(lock, path, argv, env)
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

// check refuses flags that contradict each other.
func (o *runFlags) check() error {
	for _, c := range contradictions {
		if o.given[c.one] && o.given[c.other] {
			return &failure{exitUsage, fmt.Sprintf("--%s and --%s contradict each other: %s", c.one, c.other, c.why),
				"leave one of them out"}
		}
	}
	if err := o.checkMethod(); err != nil {
		return err
	}
	for _, long := range []string{"grace", "kill-tree"} { // they are also for the holder that is replaced
		if o.exec && o.given[long] && !o.replace {
			return &failure{exitUsage, fmt.Sprintf("--exec and --%s contradict each other: %s", long, nobodyLeft), "leave one of them out"}
		}
	}
	if o.given["older-than"] && !o.replace {
		return &failure{exitUsage, "--older-than says which holder --replace ends, and there is no --replace", "add --replace"}
	}
	return nil
}

// contradictions are the flags that make no sense together. docs/waiting.md has the same table.
var contradictions = []struct{ one, other, why string }{
	{"exec", "max-time", nobodyLeft},
	{"exec", "until", nobodyLeft},
	{"queue", "replace", "--queue waits for the holder, --replace ends it"},
	{"shared", "slots", "--shared admits any number of holders, --slots a limited one"},
	{"shared", "replace", "one who shares NAME is not in the way of another"},
	{"slots", "replace", "it is not said which of the holders to end"},
	{"pidfile", "shared", oneProcess},
	{"pidfile", "slots", oneProcess},
}

// checkMethod is for what --method says, not that it is there.
func (o *runFlags) checkMethod() error {
	if o.method == "" || o.method == sole.MethodFlock {
		return nil
	}
	bad := func(other, why string) error {
		return &failure{exitUsage, fmt.Sprintf("--method %s and --%s contradict each other: %s", o.method, other, why),
			"leave one of them out"}
	}
	for _, long := range []string{"shared", "slots"} {
		if o.given[long] {
			return bad(long, oneProcess)
		}
	}
	if o.exec && o.method != sole.MethodPidFile {
		return bad("exec", nobodyLeft)
	}
	return nil
}

const oneProcess = "it names one process, and several may hold NAME"

const nobodyLeft = "with --exec nobody is left to see to it"

func (o *runFlags) acquire(n string, argv []string) (*sole.Lock, error) {
	cwd, _ := os.Getwd() // a deleted directory has no path
	opts := append([]sole.Option{sole.Dir(o.dir), sole.Command(argv...), sole.Cwd(cwd)}, o.onto...)
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

// refused says why the command was not run.
func (o *runFlags) refused(n string, err error) int {
	var busy *sole.BusyError
	var file *os.PathError
	switch {
	case errors.As(err, &busy):
	case errors.As(err, &file) && o.program != "" && file.Path == o.program:
		return fail(&failure{exitNotExec, "cannot read " + file.Path + ": " + file.Err.Error(), ""})
	case o.replace && file == nil:
		return failAct("run", n, err)
	default:
		return fail(err)
	}
	if o.quiet {
		return o.busyExit
	}
	say("%s", o.why(n, busy))
	if busy.Unverified || busy.PidFile != "" && busy.Doubt != "" {
		hint("if that is not the program that %s is for, remove %s", busy.PidFile, busy.PidFile)
	}
	return o.busyExit
}

// why is the line that a skip says.
func (o *runFlags) why(n string, busy *sole.BusyError) string {
	h := busy.Holder
	waiting := ""
	if h.Waiters > 0 && busy.File == "" {
		waiting = fmt.Sprintf("; %d waiting", h.Waiters)
	}
	line := fmt.Sprintf("%s is already running: %s%s", n, who(h), waiting)
	switch {
	case n == "":
		line = fmt.Sprintf("%s is locked: %s", busy.File, who(h))
	case busy.File != "":
		line = fmt.Sprintf("%s: %s is locked: %s", n, busy.File, who(h))
	case busy.PidFile != "" || busy.Socket != "":
		line = fmt.Sprintf("%s: %s is held: %s", n, busy.PidFile+busy.Socket, who(h))
		if busy.Doubt != "" {
			line = fmt.Sprintf("%s: %s may be held: %s", n, busy.PidFile+busy.Socket, busy.Doubt)
		}
	case h.State == sole.Free && h.Waiters > 0:
		line = fmt.Sprintf("%s is about to be run by a start that came earlier: %d waiting", n, h.Waiters)
	case h.Waiters > 0 && o.hasRoom(h):
		line = fmt.Sprintf("%s is to be run first by a start that came earlier: %d waiting; held by %s", n, h.Waiters, who(h))
	case h.Mode == sole.SlotsUsed && o.slots > 0:
		line = fmt.Sprintf("%s is already running in all of %d slots, slot 1: %s%s", n, o.slots, who(h), waiting)
	case h.Mode != sole.Alone && len(h.Others) > 0:
		line = fmt.Sprintf("%s is already running %d times: %s%s", n, len(h.Others)+1, who(h), waiting)
	}
	switch {
	case busy.Err != nil:
		return fmt.Sprintf("%s; gave up after %s", line, limit(o.limit))
	case busy.Queued:
		return line + "; already queued, skipped"
	case busy.Young:
		return fmt.Sprintf("%s; not yet for %s, skipped", line, limit(o.older))
	}
	return line + "; skipped"
}

// hasRoom reports whether the holders do not exclude this start, so that it was not run because
// of those that wait.
func (o *runFlags) hasRoom(st sole.Status) bool {
	if st.State != sole.Held || st.Mode == sole.Alone || !o.shared && o.slots == 0 {
		return false
	}
	taken := 0
	for _, h := range st.Holders() {
		if 0 < h.Slot && h.Slot <= o.slots {
			taken++
		}
	}
	return o.shared || taken < o.slots
}

// warnSquatted says that nobody will find the holder at the abstract address.
func warnSquatted(lock *sole.Lock) {
	var e *sole.SquattedError
	if !errors.As(lock.Squatted(), &e) {
		return
	}
	say("%s: %s; %s is held all the same, by its lock file", lock.Name(), e.Error(), lock.Name())
	if e.Known {
		hint("ps -p %d tells what it is; no other user can take the socket of --method socket", e.PID)
		return
	}
	hint("no other user can take the socket of --method socket")
}

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
