package main

import (
	"context"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// The command of --notify runs below a helper, which is this program again: in a session of its own,
// so that no key at the terminal ends it, and without the descriptor that holds the name.

// notifyWord is what the helper is started with. It is no command of sole's.
const notifyWord = "_notify"

// How long the command may take until it gets SIGTERM, and then until it gets SIGKILL.
const (
	notifyTime  = 30 * time.Second
	notifyGrace = 2 * time.Second
)

// send starts the command. Nobody waits for it before [notifier.wait].
func (n *notifier) send(e *event) {
	if n.command == "" {
		return
	}
	e.dir = n.dir
	pid, err := startHelper(n.command, e)
	if err != nil {
		say("%s: the command of --notify could not be run for %s: %v", e.Name, e.Event, err)
		return
	}
	n.running = append(n.running, pid)
}

func startHelper(command string, e *event) (pid int, err error) {
	in, err := inMemory(e.input())
	if err != nil {
		return 0, err
	}
	defer unix.Close(in)
	return syscall.ForkExec("/proc/self/exe", []string{os.Args[0], notifyWord, e.Name, e.Event, command}, &syscall.ProcAttr{
		Env:   e.environment(),
		Files: []uintptr{uintptr(in), 2, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// inMemory is a descriptor to read b from, however long it is. Where the size of files is limited
// (setrlimit(2)) it may have to be a pipe, which takes no more than 64 KiB.
func inMemory(b []byte) (fd int, err error) {
	fd, err = unix.MemfdCreate("sole-event", unix.MFD_CLOEXEC)
	if err != nil {
		return inPipe(b)
	}
	n, err := unix.Write(fd, b)
	if err != nil || n < len(b) {
		_ = unix.Close(fd)
		return inPipe(b)
	}
	if _, err = unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("lseek", err)
	}
	return fd, nil
}

func inPipe(b []byte) (fd int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, os.NewSyscallError("pipe2", err)
	}
	defer unix.Close(p[1])
	_ = unix.SetNonblock(p[1], true)
	n, err := unix.Write(p[1], b)
	if err == nil && n < len(b) {
		err = unix.EFBIG
	}
	if err != nil {
		_ = unix.Close(p[0])
		return -1, os.NewSyscallError("write", err)
	}
	return p[0], nil
}

// is reports whether pid is a helper.
func (n *notifier) is(pid int) bool {
	for _, p := range n.running {
		if p == pid {
			return true
		}
	}
	return false
}

// wait returns when all commands have ended, which the helpers see to.
func (n *notifier) wait() {
	for _, pid := range n.running {
		for {
			_, err := syscall.Wait4(pid, nil, 0, nil)
			if err != syscall.EINTR {
				break // ECHILD: it was waited for with the command
			}
		}
	}
	n.running = nil
}

// notify is the helper: it runs the command, ends it in time, and says if it failed.
func notify(args []string) int {
	// Above all the one that holds the name, which must not outlive the run here.
	closeOthers()
	if len(args) != 3 {
		return fail(usageError("there is no command %q", notifyWord))
	}
	name, word, command := args[0], args[1], args[2]
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", command}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stderr, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		say("%s: the command of --notify could not be run for %s: %v", name, word, message(err))
		return exitOS
	}
	ctx, cancel := context.WithTimeout(context.Background(), notifyTime)
	defer cancel()
	type end struct {
		state *os.ProcessState
		err   error
	}
	ended := make(chan end, 1)
	go func() {
		state, err := p.Wait()
		ended <- end{state, err}
	}()
	select {
	case e := <-ended:
		if e.err != nil || !e.state.Success() {
			say("%s: the command of --notify failed for %s: %s", name, word, whatEnded(e.state, e.err))
			return exitFailed
		}
		return exitOK
	case <-ctx.Done():
	}
	say("%s: the command of --notify took longer than %s for %s, and is ended", name, limit(notifyTime), word)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(-p.Pid, sig) // its group; it has not been waited for
		select {
		case <-ended:
			return exitTimeout
		case <-time.After(notifyGrace):
		}
	}
	return exitTimeout
}

// closeOthers closes all descriptors but the standard ones. Kernels before 5.9 have no call for that, and
// some sandboxes refuse it.
func closeOthers() {
	if unix.CloseRange(3, 1<<31-1, 0) == nil {
		return
	}
	const all = "/proc/self/fd/"
	open, _ := os.ReadDir(all)
	for _, e := range open {
		fd, err := strconv.Atoi(e.Name())
		if is, _ := os.Readlink(all + e.Name()); err == nil && fd > 2 && !hasPrefix(is, "anon_inode:") { // the Go runtime's
			_ = unix.Close(fd)
		}
	}
}

func whatEnded(state *os.ProcessState, err error) string {
	if err != nil {
		return err.Error()
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return "killed by " + signalWord(ws.Signal())
	}
	return "exit code " + strconv.Itoa(state.ExitCode())
}

// userName is the name of the user, the number if it has none.
func userName() string {
	uid := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}

// tellSkipped is the event of a start that was not admitted.
func (o *runFlags) tellSkipped(n string, busy *sole.BusyError, began time.Time, argv []string) {
	if o.notify == "" {
		return
	}
	e := newEvent("skipped", n, began, argv)
	h := busy.Holder
	e.Message, e.Outcome, e.InRow, e.Holder, e.Run = o.why(n, busy), "skipped", busy.InRow, &h, h.Run
	e.EndedAt, e.Seconds, e.Usual, e.P95 = time.Now(), time.Since(began).Seconds(), h.UsualSeconds, h.UsualP95Seconds
	tell := notifier{command: o.notify, dir: o.dir}
	tell.send(e)
	tell.wait()
}

// tellEnded is the event of a run that did not do well.
func (o *runFlags) tellEnded(tell *notifier, lock *sole.Lock, end sole.End, argv []string) {
	outcome := lock.Outcome() // replaced, perhaps
	word := string(outcome)
	switch outcome {
	case sole.OK, sole.Lost: // of which was told when it was noticed
		return
	case sole.Signaled:
		word = string(sole.Failed)
	}
	e := o.runEvent(word, lock, argv)
	e.Outcome, e.EndedAt = string(outcome), time.Now()
	if end.ExitCode >= 0 {
		e.ExitCode = &end.ExitCode
	}
	if end.Signal != 0 {
		e.Signal = signalWord(end.Signal)
	}
	e.Message = e.runMessage(time.Duration(e.Seconds*float64(time.Second)), limit(o.maxTime))
	tell.send(e)
}

// runEvent is an event of the run that lock is of.
func (o *runFlags) runEvent(word string, lock *sole.Lock, argv []string) *event {
	started, lasted := lock.Started()
	e := newEvent(word, lock.Name(), started, argv)
	e.Run, e.Seconds = lock.Run(), lasted.Seconds()
	e.usual(lock.Usual())
	return e
}

func signalWord(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return "SIG" + strconv.Itoa(int(sig))
}
