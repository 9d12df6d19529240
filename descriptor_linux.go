package sole

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
	"github.com/sole-run/sole/internal/record"
)

// A lock on a descriptor that another process has too belongs to the open file that the two
// share. What must end with this process, such as a ticket of the queue, is therefore marked on a
// descriptor of its own.

var errLent = errors.New("it is held on the descriptor of another process")

// holder is the process that the lock is for.
func (o *options) holder() (proc.ID, error) {
	if o.lent != nil {
		return proc.Of(o.lent.pid)
	}
	return proc.Self()
}

// Prepare makes the directory and the lock file of the name if they are missing, for
// [Descriptor], and returns the file's path. Both are judged as ever.
func Prepare(name string, opts ...Option) (path string, err error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	dir, err := openDir(collect(opts), lockdir.Use)
	if err != nil {
		return "", err
	}
	f, err := dir.Open(name)
	if err != nil {
		return "", fault(err)
	}
	defer unix.Close(f.FD)
	if err := f.Judge(); err != nil {
		return "", fault(err)
	}
	return f.Path, nil
}

// Resume returns the lock that is held on a descriptor ([Descriptor]), such as one that
// another process took on it. The error is [ErrFree] if there is none.
func Resume(name string, opts ...Option) (*Lock, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	o := collect(opts)
	if o.lent == nil {
		return nil, &OptionError{"Resume needs Descriptor"}
	}
	dir, err := openDir(o, lockdir.Use)
	if err != nil {
		return nil, err
	}
	a := attempt{name: name, o: o, dir: dir, class: o.class()}
	if err := a.borrow(); err != nil {
		return nil, err
	}
	l, err := a.resume()
	if err != nil {
		_ = unix.Close(a.onto)
	}
	return l, err
}

// onLent takes the name on the descriptor that was lent, unless it holds it already.
func (a *attempt) onLent() (*Lock, error) {
	if _, err := a.o.holder(); err != nil {
		return nil, fmt.Errorf("pid %d cannot hold %s: %w", a.o.lent.pid, a.name, err)
	}
	if err := a.borrow(); err != nil {
		return nil, err
	}
	l, err := a.resume()
	switch {
	case errors.Is(err, ErrFree):
		l, err = a.take()
	case err == nil && l.kind() != a.kind():
		l.closeSeats()
		err = a.misfit("holds "+a.name+" already, in the other way: shared, or alone", "give it up first")
	}
	if err != nil {
		_ = unix.Close(a.onto)
	}
	return l, err
}

// borrow makes sure that the descriptor is one of the name's lock file, and duplicates it.
func (a *attempt) borrow() error {
	fd := a.o.lent.fd
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	switch {
	case err == unix.EBADF:
		return a.misfit("is not open", a.opening())
	case err != nil:
		return os.NewSyscallError("fcntl", err)
	case flags&unix.O_PATH != 0 || flags&unix.O_ACCMODE != unix.O_RDWR:
		return a.misfit("is not open for reading and writing", a.opening())
	case flags&unix.O_APPEND != 0:
		return a.misfit("is open for appending", a.opening())
	}
	if err := a.sameAsPath(fd); err != nil {
		return err
	}
	a.onto, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return os.NewSyscallError("fcntl", err)
}

// sameAsPath says why the descriptor is not that of the name's lock file.
func (a *attempt) sameAsPath(fd int) error {
	path := a.dir.File(a.name)
	if sameFile(fd, path) {
		return nil
	}
	is, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if is == path+" (deleted)" {
		return &os.PathError{Op: "lock", Path: path, Err: unix.ESTALE}
	}
	return a.misfit("is open on "+is+", not on "+path, a.opening())
}

func (a *attempt) opening() string {
	return fmt.Sprintf(`exec %d<>"$(sole path --make %s)"`, a.o.lent.fd, a.name)
}

func (a *attempt) misfit(problem, remedy string) error {
	return &DescriptorError{FD: a.o.lent.fd, Problem: problem, Remedy: remedy}
}

// onceLent is once for a descriptor that was lent. f is another one of the same file.
func (a *attempt) onceLent(f lockdir.File) (*Lock, error) {
	defer unix.Close(f.FD)
	a.own = f.FD
	if err := a.sameAsPath(a.onto); err != nil { // it was deleted while this one waited
		return nil, err
	}
	seat, err := a.lock(&f)
	if err != nil {
		return nil, err
	}
	if !f.Judged() {
		err = fault(f.Judge())
	}
	if err == nil && !f.StillThere() {
		err = errMoved
	}
	if err == nil {
		f.FD, f.Created = a.onto, f.Size == 0
		var l *Lock
		if l, err = a.admit(f, seat); err == nil {
			return l, nil
		}
	}
	// Closing would not free what another process has too.
	if seat != noSeat {
		_ = flock.Unmark(a.onto, record.SeatMarks+int64(seat))
	}
	_ = flock.Unlock(a.onto)
	return nil, err
}

// resume is the lock that the descriptor holds already.
func (a *attempt) resume() (*Lock, error) {
	if !locktable.Locked(a.onto) {
		return nil, ErrFree
	}
	f, err := a.dir.Open(a.name)
	if err != nil {
		return nil, fault(err)
	}
	defer unix.Close(f.FD)
	if err := f.Judge(); err != nil {
		return nil, fault(err)
	}
	v, err := readView(f.FD)
	if err != nil {
		return nil, err
	}
	l := &Lock{keeper: a.o.keeper(), name: a.name, dir: a.dir, file: f, seat: noSeat, wrote: true, shared: true, lent: true}
	l.file.FD = a.onto
	if v.held() {
		l.rec, l.head = v.rec, v.head
		return l, nil
	}
	return l, a.resumeSeat(l, f.FD, v.head)
}

// resumeSeat finds the seat that the descriptor has: one's own marks are not seen, those of
// others are.
func (a *attempt) resumeSeat(l *Lock, other int, head record.Header) error {
	taken, err := flock.Marks(other, record.SeatMarks, record.SeatMarksEnd)
	if err != nil {
		return err
	}
	for _, mark := range taken {
		if foreign, err := flock.Marked(a.onto, mark); err != nil || foreign {
			continue
		}
		l.seat, l.head = int(mark-record.SeatMarks), head
		if l.seats, err = openSeats(a.dir, a.name); err != nil {
			return err
		}
		v, err := readSeat(l.seats.FD, l.seat)
		if err == nil {
			err = v.recErr
		}
		if err != nil {
			l.closeSeats()
			return err
		}
		l.rec = v.rec
		return nil
	}
	return ErrFree
}

// TryLockDescriptor locks the file or directory that fd is open on by flock(2), as flock(1)
// does with a descriptor: the lock belongs to the open file, so it outlives this process where another
// has it too. A lock that fd has already becomes an exclusive one, or with [Shared] a shared one. Nothing
// is written. If others hold it the error is a [*BusyError] without a name.
func TryLockDescriptor(fd int, opts ...Option) error { return lockDescriptor(dontWait, fd, opts) }

// LockDescriptor is [TryLockDescriptor], but waits until ctx ends.
func LockDescriptor(ctx context.Context, fd int, opts ...Option) error {
	if ctx == nil {
		panic("sole: nil context")
	}
	return lockDescriptor(ctx, fd, opts)
}

// UnlockDescriptor gives up what fd holds by flock(2), for all that have the same open file.
func UnlockDescriptor(fd int) error {
	if err := judgeDescriptor(fd); err != nil {
		return err
	}
	return flock.Unlock(fd)
}

func lockDescriptor(ctx context.Context, fd int, opts []Option) error {
	if err := judgeDescriptor(fd); err != nil {
		return err
	}
	a := attempt{ctx: ctx}
	if o := collect(opts); o.shared {
		a.class = queue.Shared
	}
	path, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return a.lockEither(fd, path, byFlock, a.kind())
}

// judgeDescriptor says why fd is nothing to lock.
func judgeDescriptor(fd int) error {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == unix.EBADF {
		return &DescriptorError{FD: fd, Problem: "is not open", Remedy: fmt.Sprintf(`exec %d<"$0"`, fd)}
	}
	if err != nil {
		return os.NewSyscallError("fstat", err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
		return nil
	}
	return &DescriptorError{FD: fd, Problem: "is open on neither a file nor a directory", Remedy: fmt.Sprintf(`exec %d<"$0"`, fd)}
}
