package sole

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// maxSkipBytes is how long the tail of counted skips may grow before a new run
// cuts it off.
const maxSkipBytes = 1 << 20

// admit makes the locked file f this run's: it makes sure that nobody holds a
// deleted predecessor of it, writes the record, marks the file, and makes the run
// number durable. On an error the name is not held; the caller closes f.
func (a *attempt) admit(f lockdir.File, seat int) (*Lock, error) {
	l := &Lock{keeper: a.o.keeper(), name: a.name, dir: a.dir, file: f, seat: seat, lent: a.onto != 0, shared: a.onto != 0}
	err := a.prepare(l)
	if err == nil && seat == noSeat {
		err = a.takeAlone(l)
	} else if err == nil {
		err = a.takeSeat(l)
	}
	if err != nil {
		l.giveUp()
		return nil, err
	}
	return l, nil
}

// prepare does what comes before the run number.
func (a *attempt) prepare(l *Lock) error {
	if err := probe(l.file); err != nil {
		return err
	}
	if l.seat != noSeat {
		var err error
		if l.seats, err = openSeats(a.dir, a.name); err != nil {
			return err
		}
	}
	if err := l.describe(a.o); err != nil {
		return err
	}
	l.rec.Replaced = a.replaced
	return nil
}

// takeAlone writes down that this run has the name for itself.
func (a *attempt) takeAlone(l *Lock) error {
	v, err := readNumbers(&l.file)
	if err != nil {
		return err
	}
	if err := a.checkPredecessor(&l.file, v); err != nil {
		return err
	}
	limit, err := l.number(v)
	if err != nil {
		return err
	}
	earlier, last, err := a.unclosed(l, &v)
	if err != nil {
		return err
	}
	if v.size > record.End+maxSkipBytes {
		if unix.Ftruncate(l.file.FD, record.End) == nil {
			l.rec.SkipsFrom = record.End
		}
	}
	if err := l.write(limit); err != nil {
		return err
	}
	if earlier != nil {
		a.closeEarlier(l, earlier, last)
	}
	return nil
}

// unclosed is the whole record of a run that left without a word, if its end is to be written into the
// history, and when the file was last written to. This run's record is not there yet.
func (a *attempt) unclosed(l *Lock, v *view) (*record.Record, time.Time, error) {
	if !l.keeper.on() || v.recErr != nil || v.state != record.Held {
		return nil, time.Time{}, nil
	}
	last := modified(l.file.FD)
	whole, err := readView(l.file.FD)
	if err != nil || whole.recErr != nil || whole.rec.Run != v.rec.Run {
		return nil, last, err
	}
	return &whole.rec, last, nil
}

// giveUp undoes what admit has done. The caller closes the lock file.
func (l *Lock) giveUp() {
	if l.wrote {
		path, fd, at := l.recordAt()
		_ = pwrite(fd, path, record.StateBytes(record.Free), at+record.StateAt-record.HeaderSize)
	}
	_ = flock.Unlock(l.file.FD)
	_ = flock.Unmark(l.file.FD, l.mark())
	l.closeSeats()
}

// describe fills in the record, but for the run number.
func (l *Lock) describe(o options) error {
	here, err := proc.Here()
	if err != nil {
		return err
	}
	self, err := o.holder()
	if err != nil {
		return err
	}
	now := time.Now()
	command := o.command
	switch {
	case command != nil:
	case o.lent != nil:
		command = commandOf(o.lent.pid)
	default:
		command = os.Args
	}
	l.rec = record.Record{
		Place:     here,
		Holder:    self,
		UID:       euid(),
		Started:   now,
		Uptime:    clock.uptime(now),
		SkipsFrom: max(l.file.Size, record.End),
		Method:    o.methodOrDefault(),
		Cwd:       o.cwd,
		Command:   command,
	}
	return nil
}

// write writes the record and marks the file, and the header durably if limit is
// a new one. The record comes first, so that whoever sees the mark sees the record.
func (l *Lock) write(limit uint64) error {
	if err := l.writeRecord(); err != nil {
		return err
	}
	if _, err := flock.Mark(l.file.FD, record.HolderMark, flock.Shared); err != nil {
		l.rec.Unmarked = true
		if err := l.writeRecord(); err != nil {
			return err
		}
	}
	if limit == l.head.Limit {
		return nil
	}
	l.head.Limit = limit
	return l.writeHeader(true)
}

// writeHeader writes the header, and sees it to the disk if durable is set.
func (l *Lock) writeHeader(durable bool) error {
	fd, path := l.file.FD, l.file.Path
	if err := pwrite(fd, path, record.EncodeHeader(l.head), 0); err != nil || !durable {
		return err
	}
	if err := unix.Fdatasync(fd); err != nil {
		return &os.PathError{Op: "fdatasync", Path: path, Err: err}
	}
	if l.file.Created {
		return syncDir(l.dir.Path())
	}
	return nil
}

// syncDir makes a new file's entry durable. Some filesystems know no such thing.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

// probed is the device on which locks were last found to exclude, plus one.
var probed atomic.Uint64

// probe tries to lock f a second time where the filesystem is known for odd locks.
// It can find that locks are broken here, not that they work across hosts.
func probe(f lockdir.File) error {
	fs, err := suspect(f)
	if err != nil {
		return err
	}
	if fs != "" {
		fd, err := unix.Open(f.Path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: f.Path, Err: err}
		}
		defer unix.Close(fd)
		got, err := flock.TryLock(fd, flock.Exclusive)
		if err != nil {
			return err
		}
		if got {
			return &BrokenError{Path: f.Path, Filesystem: fs}
		}
		probed.Store(f.Dev + 1)
	}
	return nil
}

// suspect returns what kind of filesystem f is on if that is yet to be probed, else "".
func suspect(f lockdir.File) (fs string, err error) {
	if probed.Load() == f.Dev+1 {
		return "", nil
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(f.FD, &st); err != nil {
		return "", os.NewSyscallError("fstatfs", err)
	}
	if fs = lockdir.Odd(int64(st.Type)); fs == "" {
		probed.Store(f.Dev + 1)
	}
	return fs, nil
}

// euid is read once: a Go program does not change it.
var euid = sync.OnceValue(func() uint32 { return uint32(os.Geteuid()) })

// uptime is the time since boot, suspension included.
func uptime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // cannot fail for this clock
	return time.Duration(ts.Nano())
}
