package sole

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// predecessorError says that somebody holds a file that was at the path until it
// was deleted or replaced.
type predecessorError struct{ holder Status }

func (e *predecessorError) Error() string {
	return e.holder.Path + " was deleted or replaced while it was held"
}

// checkPredecessor refuses to admit a run beside one that holds a file which was
// at this path until somebody deleted or replaced it.
//
// That can have happened if nobody ever used this file, or if the record in it says
// that a process that still lives holds it, although nobody does.
func (a *attempt) checkPredecessor(f *lockdir.File, v view) error {
	var pids []int
	switch {
	case v.recErr != nil:
		pids = locktable.DeletedHolders(f.Path, locktable.KeyOf(f.Dev, f.Ino), locktable.Loose(f.FD))
	case v.state == record.Held:
		for _, id := range []proc.ID{v.rec.Holder, v.rec.Child} {
			alive, err := v.alive(id)
			if (alive || errors.Is(err, proc.ErrUnverified)) && id.PID != os.Getpid() && locktable.HoldsDeleted(id.PID, f.Path) {
				pids = append(pids, id.PID)
			}
		}
	}
	if len(pids) == 0 {
		return nil
	}
	st := v.describeHeld(a.name, f)
	if v.recErr != nil || !slices.Contains(pids, v.rec.Holder.PID) {
		st = ofProcess(st, pids[0])
	}
	return &predecessorError{st}
}

// awaitPredecessor waits until the holder of the deleted file has ended, or may have
// put its file back so that there is something to queue on: a supervisor does within
// milliseconds. It returns ctx's error when ctx ends first.
func (a *attempt) awaitPredecessor(p *predecessorError) error {
	w, err := newWaker(a.ctx)
	if err != nil {
		return err
	}
	defer w.close()
	fds := []unix.PollFd{{Fd: int32(w.cancelled), Events: unix.POLLIN}}
	if h, err := p.holder.holder.Open(); err == nil {
		defer h.Close()
		fds = append(fds, unix.PollFd{Fd: int32(h.FD()), Events: unix.POLLIN})
	}
	if err := pollFor(fds, 50*time.Millisecond); err != nil {
		return err
	}
	return context.Cause(a.ctx)
}
