package sole

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/queue"
)

// A start that is not admitted says who has the name, and is counted: in the lock file, and in the
// history if there is one.

// busy says who holds the lock, as well as that can be known.
func (a *attempt) busy(f *lockdir.File, why error) *BusyError {
	st, err := a.holder(f)
	if err != nil || st.State != Held {
		st, _ = lookHard(withoutEnd, a.dir, f, a.name)
	}
	return &BusyError{Name: a.name, Holder: st, Err: why}
}

// skip counts the start as one that was not admitted.
func (a *attempt) skip(f *lockdir.File, busy *BusyError) error {
	if h := busy.Holder; h.Orphaned && h.ChildPID == 0 {
		// The supervisor was killed before it wrote down its command: the kernel knows it.
		if st, err := lookHard(withoutEnd, a.dir, f, a.name); err == nil && st.State == Held {
			busy.Holder = st
		}
	}
	busy.Holder.Waiters = queue.Count(f.FD)
	busy.InRow = countSkip(f.FD, busy.Holder)
	return busy
}

// holder looks at the name without asking the kernel's table.
func (a *attempt) holder(f *lockdir.File) (Status, error) {
	v, err := readView(f.FD)
	if err != nil {
		return Status{}, err
	}
	if st, found := seated(a.dir, f, a.name); found && !v.held() {
		v.usual(&st)
		return st, nil
	}
	return v.status(a.name, f), nil
}

// countSkip appends a byte behind the record, and returns how many of the run there are now, 0 if that
// is not known. A full disk loses the count, no more.
func countSkip(fd int, holder Status) (inRow int64) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND|unix.O_NONBLOCK); err != nil {
		return 0
	}
	if n, err := unix.Write(fd, []byte{'s'}); n != 1 || err != nil {
		return 0
	}
	at, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	if err != nil || holder.State != Held || holder.skipsFrom == 0 {
		return 0
	}
	from := holder.skipsFrom
	for _, h := range holder.Others { // the last one that was admitted
		from = max(from, h.skipsFrom)
	}
	return max(0, at-from)
}

// rememberSkip writes that this start was not admitted.
func (a *attempt) rememberSkip(began time.Time, busy *BusyError) {
	k := a.o.keeper()
	if !k.on() {
		return
	}
	h := busy.Holder
	e := history.Entry{
		Name: a.name, Started: began, Ended: time.Now(), Outcome: history.Skipped, ExitCode: history.NoCode,
		User: userName(euid()), PID: os.Getpid(), Command: a.o.command,
		HolderRun: h.Run, HolderPID: max(h.PID, 0), HolderStarted: h.StartedAt,
	}
	switch {
	case a.o.lent != nil:
		e.PID = a.o.lent.pid
		e.Command = commandOf(e.PID)
	case e.Command == nil:
		e.Command = os.Args
	}
	if e.HolderPID == 0 {
		e.HolderPID = h.ChildPID
	}
	if a.ctx != nil {
		e.Lasted = time.Since(began)
	}
	if h.StartedAt.IsZero() {
		e.HolderStarted = time.Unix(0, 0)
	}
	if busy.File != "" || busy.PidFile != "" || busy.Socket != "" {
		busy.InRow = skipsInRow(a.dir, a.name) + 1 // they are not counted in the lock file
	}
	if err := k.append(a.dir, &e); err != nil {
		busy.HistoryErr = err
	}
}

// skipsInRow counts the skips at the end of the history.
func skipsInRow(dir *lockdir.Dir, name string) (n int64) {
	_, _ = history.FilesIn(dir, name).Backward(func(l *history.Line) bool {
		if l.Outcome == history.Skipped {
			n++
		}
		return l.Outcome == history.Skipped
	})
	return n
}
