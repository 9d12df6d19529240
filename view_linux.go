package sole

import (
	"bytes"
	"errors"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// view is what a lock file says at one moment.
type view struct {
	head    record.Header
	headErr error
	rec     record.Record
	recErr  error
	state   record.State
	marked  bool
	size    int64
}

// buffers spares the memory of a lock file's contents on each start and look.
var buffers = sync.Pool{New: func() any { return new([record.End]byte) }}

// readNumbers reads what a start needs of the file, which the caller has locked and
// judged.
func readNumbers(f *lockdir.File) (view, error) {
	buf := buffers.Get().(*[record.End]byte)
	defer buffers.Put(buf)
	b, err := pread(f.FD, buf[:])
	if err != nil {
		return view{}, err
	}
	v := view{size: f.Size}
	v.head, v.headErr = record.DecodeHeader(b)
	v.rec, v.state, v.recErr = record.DecodeNumbers(b[min(len(b), record.HeaderSize):])
	return v, nil
}

// maxTorn is how often a file is read again that changes while it is read.
const maxTorn = 200

// readView reads the file so that record and mark belong together: the record was
// the same before and after the mark was seen.
func readView(fd int) (view, error) {
	before, after := buffers.Get().(*[record.End]byte), buffers.Get().(*[record.End]byte)
	defer buffers.Put(before)
	defer buffers.Put(after)
	var b []byte
	for range maxTorn {
		var err error
		if b, err = pread(fd, before[:]); err != nil {
			return view{}, err
		}
		marked, err := flock.Marked(fd, record.HolderMark)
		if err != nil {
			return view{}, err
		}
		if marked {
			again, err := pread(fd, after[:])
			if err != nil {
				return view{}, err
			}
			if !bytes.Equal(b, again) {
				runtime.Gosched()
				continue
			}
		}
		v, err := decodeView(fd, b)
		if err == nil && errors.Is(v.recErr, record.ErrDamaged) {
			runtime.Gosched() // it may have been torn
			continue
		}
		v.marked = marked
		return v, err
	}
	v, err := decodeView(fd, b)
	if err == nil {
		v.marked, err = flock.Marked(fd, record.HolderMark)
	}
	return v, err
}

func decodeView(fd int, b []byte) (view, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return view{}, os.NewSyscallError("fstat", err)
	}
	v := view{size: st.Size}
	v.head, v.headErr = record.DecodeHeader(b)
	v.rec, v.state, v.recErr = record.Decode(b[min(len(b), record.HeaderSize):])
	return v, nil
}

func pread(fd int, b []byte) ([]byte, error) {
	for {
		n, err := unix.Pread(fd, b, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("pread", err)
		}
		return b[:n], nil
	}
}

// held reports whether the name is held, as far as the file says.
func (v *view) held() bool {
	if v.recErr != nil || v.state != record.Held {
		return false
	}
	if v.marked {
		return true
	}
	if !v.rec.Unmarked {
		return false
	}
	for _, id := range []proc.ID{v.rec.Holder, v.rec.Child} {
		if alive, err := v.alive(id); err != nil || alive {
			return true
		}
	}
	return false
}

// alive reports whether a process of the record lives. The error is
// proc.ErrElsewhere if it is not in this process's pid namespace and boot.
func (v *view) alive(id proc.ID) (bool, error) {
	if id.PID == 0 {
		return false, nil
	}
	here, err := proc.Here()
	if err != nil {
		return false, err
	}
	if v.rec.Place != here {
		return false, proc.ErrElsewhere
	}
	return id.Alive()
}

// status is the file's word on the name. It asks the kernel for the processes that
// the record names, and no further.
func (v *view) status(name string, f *lockdir.File) Status {
	if !v.held() {
		st := Status{Name: name, State: Free, Method: MethodFlock, Path: f.Path, Run: v.ranLast()}
		v.usual(&st)
		return st
	}
	return v.describeHeld(name, f)
}

// ranLast is the number of the last run, as far as the file tells.
func (v *view) ranLast() uint64 {
	here, err := proc.Here()
	if err != nil {
		return 0
	}
	last, _ := v.lastRun(here.Boot)
	if v.recErr == nil && v.rec.Place.Boot != here.Boot && v.head.Shared == 0 {
		return v.rec.Run // not the limit, which is what numbers go on behind
	}
	return last
}

// describeHeld is the Status of a name that is held by the run in the record.
func (v *view) describeHeld(name string, f *lockdir.File) Status {
	st := Status{Name: name, State: Held, Mode: Alone, Method: MethodFlock, Path: f.Path}
	if v.recErr != nil {
		return st
	}
	r := &v.rec
	st.holder, st.child = r.Holder, r.Child
	st.mark, st.unmarked = record.HolderMark, r.Unmarked
	st.User = userName(r.UID)
	st.Method = r.Method
	st.Command, st.Cwd = r.Command, r.Cwd
	if r.Cut {
		st.Command[len(st.Command)-1] += "…"
	} else if r.Omitted > 0 {
		st.Command = append(st.Command, "…")
	}
	st.StartedAt, st.Run, st.Replaced = r.Started, r.Run, r.Replaced
	st.Skips, st.skipsFrom = max(0, v.size-r.SkipsFrom), r.SkipsFrom
	v.usual(&st)
	here, _ := proc.Here()
	if r.Place.Boot == here.Boot {
		st.Seconds = (uptime() - r.Uptime).Seconds()
	} else {
		st.Seconds = max(0, time.Since(r.Started).Seconds())
	}
	holder, err := v.alive(r.Holder)
	if errors.Is(err, proc.ErrElsewhere) {
		st.Elsewhere = true
		st.PID, st.ChildPID = r.Holder.PID, r.Child.PID
		return st
	}
	if holder || err != nil {
		st.PID = r.Holder.PID
	} else {
		st.Orphaned = true
	}
	if child, err := v.alive(r.Child); child || err != nil {
		st.ChildPID = r.Child.PID
	}
	return st
}

// userName is the user's name, or the number where the user database has none.
// usual fills in how long the name's runs usually take.
func (v *view) usual(st *Status) {
	st.UsualSeconds, st.UsualP95Seconds = v.head.Lasted.P50().Seconds(), v.head.Lasted.P95().Seconds()
}

func userName(uid uint32) string {
	n := strconv.FormatUint(uint64(uid), 10)
	if uid == 0 {
		return "root"
	}
	if u, err := user.LookupId(n); err == nil {
		n = u.Username
	}
	return n
}

// sameBoot reports whether the record was written since the host started.
func (v *view) sameBoot() bool {
	here, err := proc.Here()
	return err == nil && v.rec.Place.Boot == here.Boot
}
