package sole

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/record"
)

// takeSeat writes down that this run is one of those that share the name. Others may
// be doing the same.
func (a *attempt) takeSeat(l *Lock) error {
	earlier, err := readSeat(l.seats.FD, l.seat)
	if err != nil {
		return err
	}
	l.rec.SkipsFrom = max(l.file.Size, record.End)
	if err := a.numberShared(l, earlier); err != nil {
		return err
	}
	last := modified(l.seats.FD)
	if err := l.writeRecord(); err != nil {
		return err
	}
	if l.keeper.on() && earlier.recErr == nil && earlier.state == record.Held {
		a.closeEarlier(l, &earlier.rec, last)
	}
	return nil
}

// numberShared takes a run number while nobody else who shares the name does: for
// as long as some reads and writes take, and now and then a disk flush.
func (a *attempt) numberShared(l *Lock, earlier view) error {
	marks := l.file.FD
	if l.lent {
		marks = a.own // so that it ends with this process, whatever happens
	}
	if err := flock.AwaitMark(withoutEnd, marks, record.NumberMark, flock.Exclusive); err != nil {
		return err
	}
	defer func() { _ = flock.Unmark(marks, record.NumberMark) }()
	v, err := readNumbers(&l.file)
	if err != nil {
		return err
	}
	// A file that was only ever shared has a header and no record.
	if v.headErr != nil || !errors.Is(v.recErr, record.ErrEmpty) {
		if err := a.checkPredecessor(&l.file, v); err != nil {
			return err
		}
	}
	if earlier.recErr == nil { // an empty one says nothing, and to look for whom it might be takes long
		if err := a.checkPredecessor(&l.file, earlier); err != nil {
			return err
		}
	}
	limit, err := l.number(v)
	if err != nil {
		return err
	}
	if v.size < record.End {
		// So that counted skips come behind the record that there is not yet.
		if err := unix.Ftruncate(l.file.FD, record.End); err != nil {
			return &os.PathError{Op: "truncate", Path: l.file.Path, Err: err}
		}
	}
	durable := limit != l.head.Limit
	l.head = record.Header{Limit: limit, Shared: l.rec.Run, Boot: l.rec.Place.Boot, Lasted: l.head.Lasted}
	return l.writeHeader(durable)
}

// readSeat reads the record of a seat.
func readSeat(fd, seat int) (view, error) {
	buf := buffers.Get().(*[record.End]byte)
	defer buffers.Put(buf)
	for {
		n, err := unix.Pread(fd, buf[:record.Size], record.SeatAt(seat))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return view{}, err
		}
		v := view{marked: true}
		v.rec, v.state, v.recErr = record.Decode(buf[:n])
		return v, nil
	}
}

// seated is the Status of a name that is shared, and whether it is.
func seated(dir *lockdir.Dir, f *lockdir.File, name string) (Status, bool) {
	taken, err := flock.Marks(f.FD, record.SeatMarks, record.SeatMarksEnd)
	if err != nil || len(taken) == 0 {
		return Status{}, false
	}
	seats, err := dir.LookSeats(name)
	if err != nil {
		return Status{}, false
	}
	defer unix.Close(seats.FD)
	slices.Sort(taken)
	var all []Status
	for _, mark := range taken {
		seat := int(mark - record.SeatMarks)
		// A seat is marked before its record is written, and the other way round at the end.
		v, err := readSeat(seats.FD, seat)
		if err != nil || v.recErr != nil || v.state != record.Held {
			continue
		}
		v.size = f.Size
		st := v.describeHeld(name, f)
		st.Mode, st.Slot, st.mark = SharedBy, slotOf(seat), mark
		if st.Slot > 0 {
			st.Mode = SlotsUsed
		}
		all = append(all, st)
	}
	if len(all) == 0 {
		return Status{}, false
	}
	slices.SortStableFunc(all, func(a, b Status) int {
		if a.Slot == 0 || b.Slot == 0 {
			return b.Slot - a.Slot // slots first
		}
		return a.Slot - b.Slot
	})
	st := all[0]
	st.Others = all[1:]
	return st, true
}
