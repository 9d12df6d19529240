package sole

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/record"
)

// TryAcquire takes the name, or returns a [*BusyError] that says who holds it. It
// does not wait for a holder; while another start or a release is under way it waits up
// to a fifth of a second to learn its outcome.
//
// Other errors: [*NameError], [*UnsafeError], [*BrokenError], and those of the
// system, such as a *fs.PathError for a full or read-only filesystem. The name is then not held.
func TryAcquire(name string, opts ...Option) (*Lock, error) {
	return acquire(dontWait, name, collect(opts))
}

// Acquire waits for the name, in the order of arrival among those that wait,
// without polling. When ctx ends it returns within a millisecond, with a [*BusyError]
// that wraps ctx's error, and leaves nothing behind.
//
// Waiting for a name that an ancestor process holds by `sole run` is refused at once, with
// an [*AncestorError]. Other errors are as for [TryAcquire].
//
// A waiter loses its place when the lock file is deleted, by hand or by `sole clean`.
func Acquire(ctx context.Context, name string, opts ...Option) (*Lock, error) {
	if ctx == nil {
		panic("sole: nil context")
	}
	return acquire(ctx, name, collect(opts))
}

// dontWait stands for no context: do not wait.
var dontWait context.Context

// acquire takes the name; with dontWait it does not wait.
func acquire(ctx context.Context, name string, o options) (*Lock, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	dir, err := openDir(o, lockdir.Use)
	if err != nil {
		return nil, err
	}
	a := attempt{ctx: ctx, name: name, o: o, dir: dir}
	// Each turn means that somebody deleted the file after it was opened here.
	for moved := 0; moved < 100; {
		l, err := a.once()
		var p *predecessorError
		switch {
		case err == errMoved:
			moved++
			if a.dir, err = openDirAnew(o, lockdir.Use); err != nil {
				return nil, err
			}
		case errors.As(err, &p) && ctx != nil:
			if err := a.awaitPredecessor(p); err != nil {
				return nil, &BusyError{Name: name, Holder: p.holder, Err: err}
			}
		case errors.As(err, &p):
			return nil, &BusyError{Name: name, Holder: p.holder}
		default:
			return l, err
		}
	}
	return nil, &os.PathError{Op: "lock", Path: dir.File(name), Err: unix.ESTALE}
}

type attempt struct {
	ctx  context.Context // nil: do not wait
	name string
	o    options
	dir  *lockdir.Dir
}

// errMoved means that what was locked is not at the path any more.
var errMoved error = unix.ESTALE

func (a *attempt) once() (*Lock, error) {
	f, err := a.dir.Open(a.name)
	if errors.Is(err, unix.ENOENT) { // the directory itself was deleted
		return nil, errMoved
	}
	if err != nil {
		return nil, fault(err)
	}
	err = a.lock(&f)
	if err == nil {
		err = fault(f.Judge())
	}
	if err == nil && !f.StillThere() {
		err = errMoved
	}
	var l *Lock
	if err == nil {
		l, err = a.admit(f)
	}
	if err != nil {
		_ = unix.Close(f.FD)
		return nil, err
	}
	return a.lockFiles(l)
}

// lock takes the flock(2) of f.
func (a *attempt) lock(f *lockdir.File) error {
	got, err := flock.TryLock(f.FD)
	if err != nil || got {
		return err
	}
	if err := f.Judge(); err != nil {
		return fault(err)
	}
	if a.ctx == nil {
		return a.tryHard(f)
	}
	if err := a.checkAncestors(f); err != nil {
		return err
	}
	mark := waiterMark()
	_ = flock.Mark(f.FD, mark) // without it, status counts a waiter less
	err = flock.Lock(a.ctx, f.FD)
	_ = flock.Unmark(f.FD, mark)
	if err != nil && a.ctx.Err() != nil {
		busy := a.busy(f, a.ctx.Err())
		countSkip(f.FD)
		return busy
	}
	return err
}

var waits atomic.Uint64

// waiterMark is a byte that no other waiter marks, and that tells the waiter's pid.
func waiterMark() int64 {
	return record.WaiterMark(os.Getpid(), waits.Add(1))
}

// How long a start looks for the holder of a lock that nobody admits to having: it is
// then being taken or given up, which lasts microseconds, or a disk flush.
const (
	settleFirst = 20 * time.Microsecond
	settleLast  = 5 * time.Millisecond
	settleTotal = 200 * time.Millisecond
)

// tryHard takes the lock or finds out who holds it. A lock without a holder is a
// start, a release or a clean under way, and must not make this start skip.
func (a *attempt) tryHard(f *lockdir.File) error {
	deadline := time.Now().Add(settleTotal)
	for pause := settleFirst; ; pause = min(2*pause, settleLast) {
		st, err := a.holder(f)
		if err == nil && st.State == Held {
			countSkip(f.FD)
			return &BusyError{Name: a.name, Holder: st}
		}
		got, err := flock.TryLock(f.FD)
		if err != nil || got {
			return err
		}
		if time.Now().After(deadline) {
			countSkip(f.FD)
			return a.busy(f, nil)
		}
		time.Sleep(pause)
	}
}

// busy says who holds the lock, as well as that can be known.
func (a *attempt) busy(f *lockdir.File, why error) error {
	st, err := a.holder(f)
	if err != nil || st.State != Held {
		st, _ = lookHard(f, a.name)
	}
	return &BusyError{Name: a.name, Holder: st, Err: why}
}

// holder looks at the name without asking the kernel's table.
func (a *attempt) holder(f *lockdir.File) (Status, error) {
	v, err := readView(f.FD)
	if err != nil {
		return Status{}, err
	}
	return v.status(a.name, f), nil
}

// countSkip appends a byte behind the record. A full disk loses the count, no more.
func countSkip(fd int) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND|unix.O_NONBLOCK); err == nil {
		_, _ = unix.Write(fd, []byte{'s'})
	}
}
