package sole

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/pidfile"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// beside is what a Lock holds besides its files: they alone exclude, this is for others
// to see.
type beside struct {
	pidFiles []*pidfile.File
	server   *server
	squatted error
}

// holdBeside takes what the method and the options ask for. On an error l is released.
func (a *attempt) holdBeside(l *Lock) (*Lock, error) {
	err := a.takePidFiles(l)
	if err == nil && (a.o.method == MethodSocket || a.o.method == MethodAbstract) {
		err = a.listen(l)
	}
	if err != nil {
		l.giveBack()
		return nil, err
	}
	return l, nil
}

func (a *attempt) takePidFiles(l *Lock) error {
	own := a.dir.PidFile(a.name)
	if a.o.method == MethodPidFile {
		if err := a.takePidFile(l, own); err != nil {
			return err
		}
	}
	path := a.o.pidFile
	if path == "" {
		return nil
	}
	if err := a.checkPidFile(path); err != nil {
		return err
	}
	if a.o.method == MethodPidFile && samePath(path, own) {
		return nil
	}
	return a.takePidFile(l, path)
}

// checkPidFile refuses the paths of sole's own files.
func (a *attempt) checkPidFile(path string) error {
	if !samePath(filepath.Dir(path), a.dir.Path()) {
		return nil
	}
	base := filepath.Base(path)
	if lockdir.Name(base) == "" && base[0] != '.' && !strings.HasSuffix(base, ".seats") && !strings.HasSuffix(base, ".sock") &&
		!strings.Contains(base, lockdir.HistorySuffix) {
		return nil
	}
	return &PidFileError{Path: path, Problem: "is the path of a file of sole's own"}
}

// samePath reports whether both lead to the same place.
func samePath(a, b string) bool {
	for _, p := range []*string{&a, &b} {
		if dir, err := filepath.EvalSymlinks(filepath.Dir(*p)); err == nil {
			*p = dir + "/" + filepath.Base(*p)
		}
		if abs, err := filepath.Abs(*p); err == nil {
			*p = abs
		}
	}
	return a == b
}

// takePidFile takes the pid file at path, and waits for it if this start waits at all.
func (a *attempt) takePidFile(l *Lock, path string) error {
	for {
		f, err := pidfile.Take(path, a.underLock(l))
		var busy *pidfile.BusyError
		switch {
		case err == nil:
			l.beside.pidFiles = append(l.beside.pidFiles, f)
			return nil
		case !errors.As(err, &busy):
			return fault(err)
		case a.ctx == nil:
			return a.pidFileBusy(busy, nil)
		}
		if err := a.awaitPidFile(busy); err != nil {
			return err
		}
	}
}

// underLock is the lock that this run holds alone, and its command too.
func (a *attempt) underLock(l *Lock) pidfile.Lock {
	if l.seat != noSeat {
		return pidfile.Lock{}
	}
	lock := pidfile.Lock{Path: l.file.Path, Dev: l.file.Dev, Ino: l.file.Ino, Mark: record.HolderMark}
	if l.rec.Unmarked {
		lock.Mark = -1
	}
	return lock
}

func (a *attempt) pidFileBusy(busy *pidfile.BusyError, why error) error {
	e := &BusyError{Name: a.name, PidFile: busy.Path, Doubt: busy.Doubt, Unverified: busy.Foreign, Err: why}
	e.Holder = Status{Name: a.name, State: Held, Mode: Alone, Path: busy.Path, Method: MethodPidFile}
	if busy.Alive.PID != 0 {
		e.Holder = ofProcess(e.Holder, busy.Alive.PID)
	}
	return e
}

// awaitPidFile waits until the process of the pid file has ended, or something happened to
// the file. Where the process cannot be seen it looks once a second.
func (a *attempt) awaitPidFile(busy *pidfile.BusyError) error {
	w, err := newWaker(a.ctx)
	if err != nil {
		return err
	}
	defer w.close()
	w.watch(busy.Path)
	fds := []unix.PollFd{{Fd: int32(w.cancelled), Events: unix.POLLIN}}
	if w.inotify >= 0 {
		fds = append(fds, unix.PollFd{Fd: int32(w.inotify), Events: unix.POLLIN})
	}
	timeout := time.Second
	h, err := busy.Alive.Open()
	if err == nil {
		defer h.Close()
	}
	if err == nil && h.FD() >= 0 && w.inotify >= 0 {
		fds = append(fds, unix.PollFd{Fd: int32(h.FD()), Events: unix.POLLIN})
		timeout = -1
	}
	if busy.Alive.PID == 0 || !errors.Is(err, proc.ErrGone) {
		if err := pollFor(fds, timeout); err != nil {
			return err
		}
	}
	if a.ctx.Err() != nil {
		return a.pidFileBusy(busy, a.ctx.Err())
	}
	return nil
}

func (b *beside) setChild(child proc.ID) error {
	var faults []error
	for _, f := range b.pidFiles {
		faults = append(faults, fault(f.SetCommand(child)))
	}
	return errors.Join(faults...)
}

// watch adds the pid files to an inotify instance.
func (b *beside) watch(fd int) error {
	for _, f := range b.pidFiles {
		_, err := unix.InotifyAddWatch(fd, "/proc/self/fd/"+itoa(f.FD()),
			unix.IN_ATTRIB|unix.IN_MODIFY|unix.IN_MOVE_SELF|unix.IN_DELETE_SELF)
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *beside) check() error {
	var faults []error
	for _, f := range b.pidFiles {
		faults = append(faults, fault(f.Check()))
	}
	return errors.Join(faults...)
}

// release gives all of it up.
func (b *beside) release() error {
	var faults []error
	if b.server != nil {
		faults = append(faults, b.server.close())
	}
	for _, f := range b.pidFiles {
		faults = append(faults, fault(f.Remove()))
	}
	return errors.Join(faults...)
}
