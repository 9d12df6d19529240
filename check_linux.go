package sole

import (
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/record"
)

// Changes returns a file that becomes readable when something may have happened to
// the lock file, its directory or a pid file; call [Lock.Check] then, and Changes again. Waiting on
// it costs nothing. The caller closes it. It uses an inotify instance, of which a user has
// 128 by default (inotify(7)): without one, call Check every few seconds.
func (l *Lock) Changes() (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil, ErrReleased
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	// Removing the last link of an open file changes its attributes, no more.
	_, err = unix.InotifyAddWatch(fd, "/proc/self/fd/"+strconv.Itoa(l.file.FD),
		unix.IN_ATTRIB|unix.IN_MOVE_SELF|unix.IN_DELETE_SELF)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, l.dir.Path(), unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
		if err == unix.ENOENT { // gone already: Check will say so
			err = nil
		}
	}
	if err == nil {
		err = l.beside.watch(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return os.NewFile(uintptr(fd), "inotify"), nil
}

// Check makes sure that the lock file is still where others look for it. If it was
// deleted or replaced, Check puts it back, locked from its first moment, without giving up
// what is held, and returns a [*DisturbedError] that says how that went. Else the error is a
// [*PidFileError] with Lost set if a pid file is not the one that was written any more; it is left
// alone, and the name is held all the same.
func (l *Lock) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return ErrReleased
	}
	if l.file.StillThere() {
		return l.beside.check()
	}
	e := &DisturbedError{Name: l.name, Path: l.file.Path}
	if l.lent {
		e.Err = errLent
		return e
	}
	deadline := time.Now().Add(settleTotal)
	for pause := settleFirst; ; pause = min(2*pause, settleLast) {
		done, err := l.putBack(e)
		if done {
			return e
		}
		if time.Now().After(deadline) {
			if err == nil {
				err = unix.ESTALE // it changes faster than it can be put back
			}
			e.Err = err
			return e
		}
		time.Sleep(pause)
	}
}

// putBack tries once to have the path lead to a locked file of this run.
func (l *Lock) putBack(e *DisturbedError) (done bool, err error) {
	dir, err := lockdir.Open(l.dir.Path(), lockdir.Use)
	if err != nil {
		e.Err = fault(err)
		return true, nil
	}
	err = l.makeAnew()
	if err == nil {
		e.Restored = true
		return true, nil
	}
	if !errors.Is(err, unix.EEXIST) {
		return false, err
	}
	// Somebody else has made one: it may be a start that is about to give way.
	f, err := dir.Open(l.name)
	if err != nil {
		return false, fault(err)
	}
	got, err := flock.TryLock(f.FD, l.kind())
	if err == nil && got {
		err = fault(f.Judge())
	}
	if err == nil && got && f.StillThere() {
		if err = l.adopt(f); err == nil {
			e.Restored = true
			return true, nil
		}
	}
	if v, viewErr := readView(f.FD); err == nil && !got && viewErr == nil && v.held() {
		st := v.describeHeld(l.name, &f)
		e.Holder = &st
	}
	_ = unix.Close(f.FD)
	return e.Holder != nil, err
}

// makeAnew puts a locked file at the path, if there is none.
func (l *Lock) makeAnew() error {
	tmp := l.dir.Path() + "/." + l.name + "." + strconv.Itoa(os.Getpid())
	_ = unix.Unlink(tmp) // of a process of this pid that was killed here
	fd, err := unix.Open(tmp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return &os.PathError{Op: "open", Path: tmp, Err: err}
	}
	got, err := flock.TryLock(fd, l.kind())
	if err == nil && !got {
		err = unix.EWOULDBLOCK
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if err == nil {
		err = l.adopt(lockdir.File{FD: fd, Path: l.file.Path, Dev: st.Dev, Ino: st.Ino})
	}
	if err != nil {
		_ = unix.Unlink(tmp)
		_ = unix.Close(fd)
		return err
	}
	if err := unix.Fdatasync(fd); err != nil { // the run number's limit
		l.abandon()
		_ = unix.Unlink(tmp)
		return os.NewSyscallError("fdatasync", err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, l.file.Path, unix.RENAME_NOREPLACE); err != nil {
		l.abandon()
		_ = unix.Unlink(tmp)
		return os.NewSyscallError("renameat2", err)
	}
	_ = syncDir(l.dir.Path()) // the name is held either way
	return nil
}

// kind is how the lock file is locked.
func (l *Lock) kind() flock.Kind {
	if l.seat != noSeat {
		return flock.Shared
	}
	return flock.Exclusive
}

// adopt makes the locked file f the one of this run. The earlier one stays locked
// too, for the processes that inherited it. Others who share the name do the same, one after the
// other.
func (l *Lock) adopt(f lockdir.File) error {
	if l.seat != noSeat {
		if err := flock.AwaitMark(withoutEnd, f.FD, record.NumberMark, flock.Exclusive); err != nil {
			return err
		}
		defer func() { _ = flock.Unmark(f.FD, record.NumberMark) }()
		if v, err := readNumbers(&f); err == nil && v.headErr == nil {
			l.head.Limit = max(l.head.Limit, v.head.Limit)
			l.head.Shared = max(l.head.Shared, v.head.Shared)
		}
	}
	if err := pwrite(f.FD, f.Path, record.EncodeHeader(l.head), 0); err != nil {
		return err
	}
	if l.seat != noSeat {
		// A skip that is counted inside of the record that there is not yet would damage it.
		var st unix.Stat_t
		if err := unix.Fstat(f.FD, &st); err != nil {
			return os.NewSyscallError("fstat", err)
		}
		if st.Size < record.End {
			if err := unix.Ftruncate(f.FD, record.End); err != nil {
				return &os.PathError{Op: "truncate", Path: f.Path, Err: err}
			}
		}
		got, err := flock.Mark(f.FD, l.mark(), flock.Exclusive)
		if !got {
			return errors.Join(unix.EEXIST, err) // somebody sat down there in between
		}
	}
	before := l.file
	l.file, l.rec.SkipsFrom = f, record.End
	if err := l.writeRecord(); err != nil {
		l.file = before
		return err
	}
	if l.seat == noSeat {
		_, _ = flock.Mark(f.FD, record.HolderMark, flock.Shared)
	}
	l.others = append(l.others, before.FD)
	return nil
}

// abandon undoes adopt.
func (l *Lock) abandon() {
	_ = unix.Close(l.file.FD)
	last := len(l.others) - 1
	l.file.FD, l.others = l.others[last], l.others[:last]
	var st unix.Stat_t
	if unix.Fstat(l.file.FD, &st) == nil {
		l.file.Dev, l.file.Ino = st.Dev, st.Ino
	}
}
