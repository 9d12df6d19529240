package main

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/signals"
	"github.com/sole-run/sole/internal/supervise"
)

// supervise runs the command beside this process.
func (o *runFlags) supervise(lock *sole.Lock, path string, argv, env []string) int {
	tell := &notifier{command: o.notify, dir: o.dir}
	isLost := false
	w := &watch{lock: lock, lost: func(e *sole.DisturbedError) {
		isLost = true
		event := o.runEvent("lost", lock, argv)
		event.Message = e.Error()
		tell.send(event)
	}}
	duties := []supervise.Duty{{After: time.Second, Do: w.look}}
	if d := o.overrunAfter(lock); d > 0 {
		duties = append(duties, supervise.Duty{After: d, Do: func() (int, time.Duration) {
			o.overran(tell, lock, argv)
			return -1, 0
		}})
	}
	result, err := supervise.Run(supervise.Spec{
		Path: path, Argv: argv, Env: env,
		MaxTime: o.maxTime, Grace: o.grace,
		UntilTree: o.until == "tree", KillTree: o.killTree,
		Started: func(pid int) { o.pidWritten(lock, lock.SetChild(pid)) },
		Ended:   func() { o.pidWritten(lock, lock.ChildEnded()) },
		Warn:    func(err error) { warnRun(lock.Name(), err) },
		Duties:  duties,
		Aside:   tell.is,
		Running: startedEarly(),
	})
	if err != nil {
		return o.ended(lock, neverRan(failStart(lock.Name(), path, argv[0], err)), argv)
	}
	end := endOf(result.Status, result.TimedOut)
	if isLost {
		end.Outcome = sole.Lost
	}
	_ = w.endOf(released(lock.Name(), lock.ReleaseAs(end)))
	o.tellEnded(tell, lock, end, argv)
	if result.TimedOut {
		if !o.quiet {
			say("%s ran longer than %s and was ended", lock.Name(), limit(o.maxTime))
		}
		tell.wait()
		return exitTimeout
	}
	tell.wait()
	return exitLike(result.Status)
}

// pidWritten says that a pid file has another pid than it should have. Without a pid file
// the pid is for looking only, and a command that has ended already is named no more.
func (o *runFlags) pidWritten(lock *sole.Lock, err error) {
	if err != nil && (o.pidFile != "" || o.method == sole.MethodPidFile) {
		say("%s: the pid could not be written down: %v", lock.Name(), message(err))
	}
}

func warnRun(n string, err error) {
	var refused *supervise.RefusedError
	if errors.As(err, &refused) {
		say("%s: its descendant pid %d may not be signalled, and is left alone", n, refused.PID)
		return
	}
	say("%s: %v", n, err)
}

// become replaces this process by the command. If it returns, that could not be done, as it says.
func become(lock *sole.Lock, path string, argv, env []string) int {
	err := syscall.Exec(path, argv, env)
	if err == syscall.ENOEXEC { // like execvp(3)
		err = syscall.Exec("/bin/sh", append([]string{"sh", path}, argv[1:]...), env)
	}
	return failStart(lock.Name(), path, argv[0], err)
}

// failStart reports that the command of the name n could not be started.
func failStart(n, path, word string, err error) int {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return fail(err)
	}
	switch errno {
	case syscall.ENOENT:
		// The file was found: what is missing is the interpreter of its #! line.
		if _, statErr := os.Stat(path); statErr == nil {
			return failFor(n, &failure{exitNotExec, "cannot run " + word + ": the interpreter in its first line does not exist", ""})
		}
		return failFor(n, notFound(word))
	case syscall.EACCES, syscall.ENOEXEC, syscall.ELIBBAD, syscall.EISDIR, syscall.EPERM, syscall.ETXTBSY, syscall.E2BIG, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.ENOTDIR:
		return failFor(n, &failure{exitNotExec, "cannot run " + word + ": " + errno.Error(), ""})
	}
	return failFor(n, &failure{exitOS, "cannot start " + word + ": " + errno.Error(), ""})
}

// watch looks after the lock file while the command runs, from the first second on,
// so that short commands do not pay for it.
type watch struct {
	lock    *sole.Lock
	lost    func(*sole.DisturbedError)
	changes *os.File
	said    bool
	pidFile bool // that a pid file was lost was said
}

// checkEvery is how often to look where there is no inotify.
const checkEvery = 4 * time.Second

func (w *watch) look() (fd int, again time.Duration) {
	if w.changes != nil {
		_ = w.changes.Close()
		w.changes = nil
	}
	// The check comes after the watch, so that nothing falls in between; what it puts
	// back needs a watch of its own.
	for range 5 {
		changes, err := w.lock.Changes()
		if err != nil {
			w.check()
			return -1, checkEvery
		}
		if w.check() {
			w.changes = changes
			return int(changes.Fd()), 0
		}
		_ = changes.Close()
	}
	return -1, time.Second
}

// check reports whether the lock file is where it was.
func (w *watch) check() bool {
	err := w.lock.Check()
	var e *sole.DisturbedError
	if !errors.As(err, &e) {
		_ = w.endOf(err)
		return true
	}
	if w.said {
		return false
	}
	w.said = true
	say("%s", e.Error())
	if !e.Restored {
		w.lost(e)
	}
	switch {
	case e.Restored:
		hint("find out what deletes files below %s", dirOf(e.Path))
	case e.Holder != nil:
		hint("%s runs twice now; end one of them with kill %d", e.Name, e.Holder.PID)
	}
	return false
}

// endOf says once that a pid file was lost, and returns what else err says.
func (w *watch) endOf(err error) error {
	var lost *sole.PidFileError
	if !errors.As(err, &lost) || !lost.Lost {
		return err
	}
	if !w.pidFile {
		w.pidFile = true
		say("%s: the pid file %s; it is left alone", w.lock.Name(), lost.Error())
	}
	return nil
}

func dieBy(sig syscall.Signal) { supervise.DieBy(sig) }

func defaultQuit() { _ = signals.Default(unix.SIGQUIT) }

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// terminalWidth is the width of standard output, 0 if it is no terminal.
func terminalWidth() int {
	ws, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}

// mayExecute asks as the effective user, root included: it needs one x bit too.
func mayExecute(file string) bool {
	return unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS) == nil
}
