package sole

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// Settle writes the ends of those runs of a name into its history that left without a word, where
// nobody holds what they held, and no start has done so yet. It takes no lock, and is in nobody's way. The error is
// that of reading; a history that cannot be written is as it was.
func Settle(name string, opts ...Option) error {
	if err := checkName(name); err != nil {
		return err
	}
	o := collect(opts)
	dir, err := openDir(o, lockdir.Look)
	if err != nil || dir.Missing() {
		return err
	}
	use, err := openDir(o, lockdir.Use)
	if err != nil {
		return nil // it is another user's
	}
	return settle(name, dir, use, history.Limit)
}

// settle is Settle with the directory opened to look and to write.
func settle(name string, dir, use *lockdir.Dir, limit int64) error {
	f, err := dir.Look(name)
	if errors.Is(err, lockdir.ErrNoFile) {
		return nil
	}
	if err != nil {
		return fault(err)
	}
	defer unix.Close(f.FD)
	here, err := proc.Here()
	if err != nil || !fit(f.FD) {
		return err
	}
	s := settler{name: name, dir: dir, use: use, keeper: keeper{limit}, boot: here.Boot}
	return errors.Join(s.alone(&f), s.seats(&f))
}

type settler struct {
	name     string
	dir, use *lockdir.Dir
	keeper   keeper
	boot     proc.BootID
}

// fit reports whether the open file can be trusted: what others wrote proves nothing.
func fit(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && lockdir.FitFile(st.Mode, st.Uid, uint64(st.Nlink), euid())
}

// alone settles the last run that had the name for itself.
func (s *settler) alone(f *lockdir.File) error {
	v, err := readView(f.FD)
	if err != nil || v.recErr != nil || v.state != record.Held || v.held() {
		return err
	}
	// A start writes its record before its mark, but behind its lock.
	if entry, err := lockEntry(locktable.KeyOf(f.Dev, f.Ino), locktable.Loose(f.FD)); err != nil || entry != nil {
		return err
	}
	last := modified(f.FD)
	again, err := readView(f.FD)
	if err != nil || again.recErr != nil || again.state != record.Held || again.marked || again.rec.Run != v.rec.Run {
		return err
	}
	return s.close(&v.rec, last)
}

// seats settles those that shared the name, whose seats nobody has taken since.
func (s *settler) seats(f *lockdir.File) error {
	seats, err := s.dir.LookSeats(s.name)
	if err != nil { // there are none, most of the time
		return nil
	}
	defer unix.Close(seats.FD)
	var st unix.Stat_t
	if !fit(seats.FD) || unix.Fstat(seats.FD, &st) != nil {
		return nil
	}
	end := int(min(st.Size/record.Size, record.Seats))
	for seat := range end {
		v, err := readSeat(seats.FD, seat)
		if err != nil {
			return err
		}
		if v.recErr != nil || v.state != record.Held || s.sits(f, &v, seat) {
			continue
		}
		if err := s.close(&v.rec, modified(seats.FD)); err != nil {
			return err
		}
	}
	return nil
}

// sits reports whether the run in the record of a seat may go on. It marks the seat before it writes the
// record; but the marked file may have been deleted, and not be put back yet.
func (s *settler) sits(f *lockdir.File, v *view, seat int) bool {
	if marked, err := flock.Marked(f.FD, record.SeatMarks+int64(seat)); marked || err != nil {
		return true
	}
	if v.rec.Place.Boot != s.boot {
		return false
	}
	for _, id := range []proc.ID{v.rec.Holder, v.rec.Child} {
		if alive, err := v.alive(id); alive || err != nil {
			return true
		}
	}
	return false
}

// close writes the end of a run that nobody has written yet.
func (s *settler) close(r *record.Record, last time.Time) error {
	if known, err := remembers(s.dir, s.name, r); known || err != nil {
		return err
	}
	e := closing(s.name, r, s.boot, last)
	_ = s.keeper.append(s.use, &e)
	return nil
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
