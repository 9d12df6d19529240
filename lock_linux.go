package sole

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
	"github.com/sole-run/sole/internal/usual"
)

// Lock is a name that this process holds.
type Lock struct {
	name string
	dir  *lockdir.Dir

	mu     sync.Mutex
	rec    record.Record
	head   record.Header
	file   lockdir.File
	seat   int          // noSeat: the name is not shared
	seats  lockdir.File // if it is
	wrote  bool         // the record
	shared bool         // other processes may have the descriptor
	lent   bool         // by another process, see Descriptor
	keeper keeper       // of its history
	ended  Outcome      // how the history says that it ended
	usual  usual.Sample // before this run
	lasted bool         // head has a run that is to be written with the end
	others []int        // descriptors of further locks: the File option's, and files that were deleted
	done   bool

	beside beside
}

// Name is the name that is held.
func (l *Lock) Name() string { return l.name }

// Run is the number of this run. It is larger than that of every earlier run of the
// name in its directory, also after a crash of the host and after `sole clean`, and so is a
// fencing token for what this host writes. Numbers are left out: at least at each
// start of the host. It does start anew when somebody deletes the lock file by hand while
// nobody holds the name, or when the directory does not outlive the host's restart.
func (l *Lock) Run() uint64 { return l.rec.Run }

// Started is when the run began, and how long ago that is by a clock that is not stepped.
func (l *Lock) Started() (at time.Time, lasted time.Duration) {
	return l.rec.Started, max(0, uptime()-l.rec.Uptime)
}

// Usual is how long the last runs took that succeeded before this one, at most 32 of them: the median,
// and what 95 in 100 took or less. Both are 0 if fewer than three are known.
func (l *Lock) Usual() (p50, p95 time.Duration) { return l.usual.P50(), l.usual.P95() }

// Outcome is how the run ended, as its history has it, "" before [Lock.ReleaseAs] and without [History]. It
// may be replaced, which no holder says of itself.
func (l *Lock) Outcome() Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// Slot is which of the slots is held, from 1 on, and 0 without [Slots].
func (l *Lock) Slot() int { return slotOf(l.seat) }

// Path is the path of the name's lock file.
func (l *Lock) Path() string { return l.file.Path }

// File returns a duplicate of the locked descriptor, for a child process: as long as
// one process has it open, the name stays held even when this process is killed.
// [Lock.Release] frees the name all the same. The caller closes it. Where the child runs,
// tell others with [Lock.SetChild].
func (l *Lock) File() (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil, ErrReleased
	}
	fd, err := unix.FcntlInt(uintptr(l.file.FD), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	l.shared = true
	return os.NewFile(uintptr(fd), l.file.Path), nil
}

// inheritFrom is the lowest descriptor that [Lock.Inherit] uses: above those that
// shell scripts pick by hand, and within the 64 that fit the kernel's smallest table.
const inheritFrom = 50

// Inherit makes every process that this one starts or becomes from now on keep the
// name: it cannot be freed by killing this process while one of them lives, but
// by [Lock.Release].
func (l *Lock) Inherit() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return ErrReleased
	}
	l.shared = true
	fd, err := keepOpen(l.file.FD)
	if err != nil {
		return err
	}
	l.file.FD = fd
	for i, other := range l.others {
		if l.others[i], err = keepOpen(other); err != nil {
			return err
		}
	}
	return nil
}

// keepOpen moves fd out of the way and makes it outlive execve(2).
func keepOpen(fd int) (int, error) {
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD, inheritFrom)
	if err == unix.EINVAL || err == unix.EMFILE { // RLIMIT_NOFILE is lower
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
		moved = fd
	}
	if err != nil {
		return fd, os.NewSyscallError("fcntl", err)
	}
	if moved != fd {
		_ = unix.Close(fd)
	}
	return moved, nil
}

// SetChild writes down that pid, a child of this process, is what the name is held
// for. pid must not have been waited for yet. A pid file names it from then on; if that fails,
// the file names this process, and the error says so.
func (l *Lock) SetChild(pid int) error {
	child, err := proc.Of(pid)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return ErrReleased
	}
	l.rec.Child = child
	return errors.Join(l.writeRecord(), l.beside.setChild(child))
}

// ChildEnded has the pid files name this process again. It is for a holder that goes on when
// its child has been waited for: a pid file must not name what another process may be by now.
func (l *Lock) ChildEnded() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return ErrReleased
	}
	return l.beside.setChild(proc.ID{})
}

// recordAt is where the record of this run is.
func (l *Lock) recordAt() (path string, fd int, at int64) {
	if l.seat != noSeat {
		return l.seats.Path, l.seats.FD, record.SeatAt(l.seat)
	}
	return l.file.Path, l.file.FD, record.HeaderSize
}

// mark is the byte that this run marks in the lock file.
func (l *Lock) mark() int64 {
	if l.seat != noSeat {
		return record.SeatMarks + int64(l.seat)
	}
	return record.HolderMark
}

func (l *Lock) writeRecord() error {
	buf := buffers.Get().(*[record.End]byte)
	defer buffers.Put(buf)
	path, fd, at := l.recordAt()
	l.wrote = true
	return pwrite(fd, path, l.rec.Encode(buf[:0], record.Held), at)
}

// Release frees the name at once, also when child processes still have its
// descriptor. The error says that the record could not be brought up to date; the name
// is free all the same. A *[PidFileError] says that a pid file was deleted or replaced, and was
// left alone. Releasing again does nothing.
//
// With [History] the run ends as one that did well. [Lock.ReleaseAs] says it otherwise.
func (l *Lock) Release() error { return l.ReleaseAs(End{Outcome: OK, ExitCode: -1}) }

// ReleaseAs is [Lock.Release] of a run that ended in that way, for the history of a lock
// with the option [History]. A run that did not do well, and for whose end somebody waits to replace
// it, counts as replaced. That the history could not be written is a *[HistoryError]; the name is free
// all the same.
func (l *Lock) ReleaseAs(end End) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil
	}
	l.done = true
	var historyErr error
	if l.keeper.on() {
		historyErr = l.remember(end)
	}
	// Before the name is free, or it would be the next holder's.
	besideErr := l.beside.release()
	err := errors.Join(l.release(), besideErr, historyErr)
	for _, fd := range l.others {
		_ = flock.UnlockRange(fd) // there may be none
		err = errors.Join(err, flock.Unlock(fd), unix.Close(fd))
	}
	return err
}

// giveBack releases a lock that came to nothing: no run.
func (l *Lock) giveBack() {
	l.keeper = keeper{}
	_ = l.Release()
}

// release gives the lock file up. In this order whoever looks can tell at each
// step what is so: a record that says free under a mark is a release under way.
// The mark of a descriptor that nobody else has ends with the close; but a seat must
// be free before the next one looks for it.
func (l *Lock) release() error {
	path, fd, at := l.recordAt()
	err := l.writeEnd(fd, path, at)
	if l.seat != noSeat {
		_ = flock.Unmark(l.file.FD, l.mark())
	}
	if unlockErr := flock.Unlock(l.file.FD); err == nil {
		err = unlockErr
	}
	if l.seat == noSeat && l.shared {
		_ = flock.Unmark(l.file.FD, record.HolderMark) // it may never have been marked
	}
	_ = unix.Close(l.file.FD)
	l.closeSeats()
	return err
}

// writeEnd writes that the run has ended, and how long it lasted with the same write.
func (l *Lock) writeEnd(fd int, path string, at int64) error {
	state := record.StateBytes(record.Free)
	if !l.lasted {
		return pwrite(fd, path, state, at+record.StateAt-record.HeaderSize)
	}
	var b [record.Ending]byte
	l.head.EncodePlain((*[record.HeaderSize]byte)(b[:]))
	copy(b[record.HeaderSize:], record.FirstWords)
	copy(b[record.StateAt:], state)
	return pwrite(fd, path, b[:], 0)
}

func (l *Lock) closeSeats() {
	if l.seat != noSeat && l.seats.FD > 0 {
		_ = unix.Close(l.seats.FD)
	}
}

func pwrite(fd int, path string, b []byte, off int64) error {
	for {
		n, err := unix.Pwrite(fd, b, off)
		if err == unix.EINTR {
			continue
		}
		if err == nil && n < len(b) {
			err = unix.ENOSPC
		}
		if err != nil {
			return &os.PathError{Op: "write", Path: path, Err: err}
		}
		return nil
	}
}
