package sole

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
)

// TryAcquire takes the name, or returns a [*BusyError] that says who holds it. It
// does not wait for a holder; while another start or a release is under way it waits up
// to a fifth of a second to learn its outcome. It never overtakes a start that waits.
//
// Other errors: [*NameError], [*OptionError], [*UnsafeError], [*BrokenError], and those of the
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
// A waiter that is stopped (SIGSTOP) keeps its place, but others go past it until it goes
// on; docs/waiting.md has the exceptions.
func Acquire(ctx context.Context, name string, opts ...Option) (*Lock, error) {
	if ctx == nil {
		panic("sole: nil context")
	}
	return acquire(ctx, name, collect(opts))
}

// dontWait stands for no context: do not wait.
var dontWait context.Context

// withoutEnd is for waits that last no longer than another one needs for a few system calls.
var withoutEnd = context.Background()

// acquire takes the name; with dontWait it does not wait.
func acquire(ctx context.Context, name string, o options) (*Lock, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := o.check(ctx != nil); err != nil {
		return nil, err
	}
	if l := takenEarly(name, o); l != nil {
		return l, nil
	}
	began := time.Now()
	dir, err := openDir(o, lockdir.Use)
	if err != nil {
		return nil, err
	}
	a := attempt{ctx: ctx, name: name, o: o, dir: dir, class: o.class()}
	var l *Lock
	if o.lent != nil {
		l, err = a.onLent()
	} else {
		l, err = a.take()
	}
	var busy *BusyError
	if errors.As(err, &busy) {
		a.rememberSkip(began, busy)
	}
	return l, err
}

// take takes the name, again and again if need be.
func (a *attempt) take() (*Lock, error) {
	name, ctx := a.name, a.ctx
	// Each turn means that somebody deleted the file after it was opened here.
	for moved := 0; moved < 100; {
		l, err := a.once()
		var p *predecessorError
		switch {
		case err == errMoved:
			moved++
			if a.dir, err = openDirAnew(a.o, lockdir.Use); err != nil {
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
	return nil, &os.PathError{Op: "lock", Path: a.dir.File(name), Err: unix.ESTALE}
}

type attempt struct {
	ctx      context.Context // nil: do not wait
	name     string
	o        options
	dir      *lockdir.Dir
	class    queue.Class
	arrived  time.Duration // 0: it has not had to wait yet
	replaced uint64        // the run that was ended for this one, 0 for none
	onto     int           // the descriptor that the lock is taken on, 0: the one that is opened for it
	own      int           // in that case the one that is opened
}

// locked is the descriptor that the lock is taken on; f's own has what ends with the attempt.
func (a *attempt) locked(f *lockdir.File) int {
	if a.onto != 0 {
		return a.onto
	}
	return f.FD
}

func (o *options) class() queue.Class {
	switch {
	case o.shared:
		return queue.Shared
	case o.slots > 0:
		return queue.Slot
	case o.replace != nil:
		return queue.Front
	}
	return queue.Exclusive
}

// kind is how the lock file is locked.
func (a *attempt) kind() flock.Kind {
	if a.shares() {
		return flock.Shared
	}
	return flock.Exclusive
}

// shares reports whether there can be other holders beside this one.
func (a *attempt) shares() bool { return a.class == queue.Shared || a.class == queue.Slot }

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
	if a.onto != 0 {
		return a.onceLent(f)
	}
	seat, err := a.lock(&f)
	if err == nil && !f.Judged() {
		err = fault(f.Judge())
	}
	// After the lock is had: it may have waited for a file that is not there any more.
	if err == nil && !f.StillThere() {
		err = errMoved
	}
	var l *Lock
	if err == nil {
		l, err = a.admit(f, seat)
	}
	if err != nil {
		_ = unix.Close(f.FD)
		return nil, err
	}
	if l, err = a.lockFiles(l); err != nil {
		return nil, err
	}
	return a.holdBeside(l)
}

// lock takes the flock(2) of f, and a seat if the name is to be shared.
func (a *attempt) lock(f *lockdir.File) (seat int, err error) {
	seat, got, err := a.try(f)
	if err != nil || got {
		return seat, err
	}
	if err := f.Judge(); err != nil {
		return noSeat, fault(err)
	}
	if a.ctx == nil {
		return a.tryHard(f)
	}
	if err := prepareWait(*f); err != nil {
		return noSeat, err
	}
	if a.o.replace != nil {
		return noSeat, a.replace(f)
	}
	return a.await(f)
}

// prepareWait does what need not be done between the end of the one and the beginning of the
// other: it is remembered.
func prepareWait(f lockdir.File) error {
	_, err := proc.Here()
	if err == nil {
		_, err = proc.Self()
	}
	if err == nil {
		_, err = suspect(f)
	}
	_ = euid()
	return err
}

// try takes the lock if it is free and nobody waits for it.
func (a *attempt) try(f *lockdir.File) (seat int, got bool, err error) {
	// Before, so that a waiter finds the lock free when it wakes up; after, because it
	// may have come in between.
	if a.spokenFor(f) {
		return noSeat, false, nil
	}
	got, err = flock.TryLock(a.locked(f), a.kind())
	if err != nil || !got {
		return noSeat, false, err
	}
	if a.spokenFor(f) {
		return noSeat, false, flock.Unlock(a.locked(f))
	}
	seat, got, err = a.sit(f)
	if err == nil && !got {
		err = flock.Unlock(a.locked(f))
	}
	return seat, got, err
}

// everybody is later than any arrival.
const everybody = time.Duration(1<<61 - 1)

// spokenFor reports whether somebody waits who would be overtaken. Where there are no marks,
// nobody can tell.
func (a *attempt) spokenFor(f *lockdir.File) bool {
	found, err := a.overtakes(f, everybody)
	return found && err == nil
}

// overtakes reports whether somebody waits who goes before this start, if it arrived then.
func (a *attempt) overtakes(f *lockdir.File, arrived time.Duration) (bool, error) {
	found, err := queue.Ahead(f.FD, a.class, arrived)
	if err == nil && !found && a.class == queue.Slot {
		return queue.SlotAhead(f.FD, arrived)
	}
	return found, err
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
func (a *attempt) tryHard(f *lockdir.File) (seat int, err error) {
	deadline := time.Now().Add(settleTotal)
	for pause := settleFirst; ; pause = min(2*pause, settleLast) {
		st, err := a.holder(f)
		if err == nil && (a.excludedBy(st) || a.spokenFor(f)) {
			return noSeat, a.skip(f, &BusyError{Name: a.name, Holder: st})
		}
		seat, got, err := a.try(f)
		if err != nil || got {
			return seat, err
		}
		if time.Now().After(deadline) {
			return noSeat, a.skip(f, a.busy(f, nil))
		}
		time.Sleep(pause)
	}
}

// excludedBy reports whether the holders that st knows of leave no room.
func (a *attempt) excludedBy(st Status) bool {
	if st.State != Held || st.Mode == Alone || !a.shares() {
		return st.State == Held
	}
	taken := 0
	for _, h := range st.Holders() {
		if 0 < h.Slot && h.Slot <= a.o.slots {
			taken++
		}
	}
	return a.class == queue.Slot && taken >= a.o.slots
}
