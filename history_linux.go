package sole

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
	"github.com/sole-run/sole/internal/record"
)

// keeper writes the history of a name. The zero value writes nothing.
type keeper struct{ limit int64 }

func (o *options) keeper() keeper {
	if !o.history {
		return keeper{}
	}
	if o.historyLimit <= 0 {
		return keeper{history.Limit}
	}
	return keeper{o.historyLimit}
}

func (k keeper) on() bool { return k.limit > 0 }

// append writes one record.
func (k keeper) append(dir *lockdir.Dir, e *history.Entry) error {
	e.Host = host()
	if err := history.Append(dir, e, k.limit); err != nil {
		return &HistoryError{e.Name, fault(err)}
	}
	return nil
}

// host is the name of this host.
func host() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Nodename[:])
}

// entryOf is what a record says of its run.
func entryOf(name string, r *record.Record) history.Entry {
	e := history.Entry{
		Name: name, Run: r.Run, Started: r.Started, ExitCode: history.NoCode, User: userName(r.UID),
		PID: r.Holder.PID, Command: r.Command, Cut: r.Cut || r.Omitted > 0,
	}
	if r.Cut { // of the last word
		e.Command = e.Command[:len(e.Command)-1]
	}
	return e
}

// remember writes the end of this run, and keeps how long it took if it did well. Whoever looks
// afterwards finds both.
func (l *Lock) remember(end End) error {
	now := time.Now()
	e := entryOf(l.name, &l.rec)
	e.Ended, e.Lasted = now, max(0, uptime()-l.rec.Uptime)
	e.Outcome, e.ExitCode, e.Signal = outcomeOf(end.Outcome), end.ExitCode, int(end.Signal)
	if (e.Outcome == history.Failed || e.Outcome == history.Signaled) && queue.Replacing(l.file.FD) {
		e.Outcome = history.Replaced
	}
	l.ended = Outcome(e.Outcome.String())
	err := l.keeper.append(l.dir, &e)
	if e.Outcome != history.OK {
		return err
	}
	if l.seat != noSeat {
		return errors.Join(err, l.keepLasted(e.Lasted))
	}
	l.head.Lasted.Add(e.Lasted)
	l.lasted = true
	return err
}

// keepPatience is how long a run that ends waits for others who number theirs. One of them may be stopped.
const keepPatience = 100 * time.Millisecond

// keepLasted is for one that shares the name: others may write the header too. If they take too long, how
// long this run lasted is not kept.
func (l *Lock) keepLasted(d time.Duration) error {
	got, err := flock.Mark(l.file.FD, record.NumberMark, flock.Exclusive)
	if err == nil && !got {
		ctx, cancel := context.WithTimeout(withoutEnd, keepPatience)
		err = flock.AwaitMark(ctx, l.file.FD, record.NumberMark, flock.Exclusive)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	defer func() { _ = flock.Unmark(l.file.FD, record.NumberMark) }()
	v, err := readNumbers(&l.file)
	if err != nil || v.headErr != nil {
		return err
	}
	l.head = v.head
	l.head.Lasted.Add(d)
	return l.writeHeader(false)
}

func outcomeOf(o Outcome) history.Outcome {
	for _, h := range history.Outcomes() {
		if h.String() == string(o) {
			return h
		}
	}
	return history.Ended
}

// closeEarlier writes the end of the run that the record of v is of, which left without a word. last
// is when the file was last written to. The caller has taken the name.
func (a *attempt) closeEarlier(l *Lock, r *record.Record, last time.Time) {
	if known, err := remembers(l.dir, a.name, r); known || err != nil {
		return // somebody has noticed before
	}
	e := closing(a.name, r, l.rec.Place.Boot, last)
	if a.arrived != 0 && r.Place.Boot == l.rec.Place.Boot { // it was waited for
		e.Ended = e.EndedBefore
		e.Lasted = max(0, l.rec.Uptime-r.Uptime)
	}
	if a.replaced == r.Run {
		e.Outcome = history.Replaced
	}
	_ = l.keeper.append(l.dir, &e) // if it fails, so will that of this run, which is reported
}

// closing is the record of a run whose end nobody saw: it is over now, and boot is this boot.
func closing(name string, r *record.Record, boot proc.BootID, last time.Time) history.Entry {
	before := time.Now()
	if r.Place.Boot != boot {
		before = before.Add(-uptime()) // when the host started
	}
	e := entryOf(name, r)
	e.Unseen(r.Child.PID != 0, last, before)
	return e
}

// modified is when the open file was last written to.
func modified(fd int) time.Time {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return time.Time{}
	}
	return time.Unix(st.Mtim.Unix())
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

// clockSlack is by how much the wall clock may have been set back between two records.
const clockSlack = time.Hour

// remembers reports whether the history has a record of the run. Numbers may have begun anew since, so
// it is known by its start too. What was rotated away may have had it, if other runs ended after it.
func remembers(dir *lockdir.Dir, name string, r *record.Record) (known bool, err error) {
	over, later := false, false
	found, err := history.FilesIn(dir, name).Backward(func(l *history.Line) bool {
		known = l.Run == r.Run && l.Started.UnixMilli() == r.Started.UnixMilli()
		// Records are in the order of their ends.
		over = !l.Closing && l.Ended.Before(r.Started.Add(-clockSlack))
		later = later || l.Run > r.Run
		return !known && !over
	})
	return known || !over && later && found.Before.Runs() > 0, fault(err)
}
