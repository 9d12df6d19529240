package sole

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
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
