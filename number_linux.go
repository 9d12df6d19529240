package sole

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// Run numbers never go back, also when the host loses its last writes in a crash,
// and yet not every start waits for the disk: the header holds a limit that was made
// durable before the first number below it was given out. After a restart of the host the
// numbers go on behind the limit, whatever of the record has survived.

// How many numbers a limit allows for: many for a name that is taken over and over,
// so that making limits durable costs nothing on average, and few for all others, whose
// numbers stay readable over the restarts of the host.
const (
	block     = 16
	busyBlock = 1 << 16
	// Of a name that is shared it is not known how often it is taken.
	sharedBlock = 256
	busyPause   = time.Second // between the starts of two runs
)

// number sets the run's number, and returns the limit that must be durable before
// the number is used; it is l.head.Limit if it is so already.
func (l *Lock) number(v view) (limit uint64, err error) {
	if errors.Is(v.headErr, record.ErrNewer) || errors.Is(v.recErr, record.ErrNewer) {
		return 0, &os.PathError{Op: "read", Path: l.file.Path, Err: record.ErrNewer}
	}
	last, known := v.lastRun(l.rec.Place.Boot)
	if !known {
		if last, err = readFloor(l.dir); err != nil {
			return 0, err
		}
	}
	l.rec.Run = last + 1
	if l.rec.Run >= record.LastRun {
		return 0, fmt.Errorf("%s: the run number %d is the last one there can be", l.file.Path, l.rec.Run)
	}
	l.head, l.usual = v.head, v.head.Lasted
	if v.headErr != nil || l.rec.Run > v.head.Limit {
		switch {
		case l.seat != noSeat:
			return l.rec.Run + sharedBlock, nil
		case v.recErr == nil && v.sameBoot() && l.rec.Uptime-v.rec.Uptime < busyPause:
			return l.rec.Run + busyBlock, nil
		}
		return l.rec.Run + block, nil
	}
	return v.head.Limit, nil
}

// lastRun is a number that no run of the name has been above; known is unset if the
// file does not tell.
func (v *view) lastRun(boot proc.BootID) (last uint64, known bool) {
	switch {
	case v.recErr == nil && v.headErr == nil:
		return v.rec.Next(v.head, &boot) - 1, true
	case v.recErr == nil:
		return v.rec.Run, true
	case v.headErr != nil:
		return 0, false
	case errors.Is(v.recErr, record.ErrEmpty) && v.head.Shared != 0 && v.head.Boot == boot:
		return v.head.Shared, true // it was only ever shared
	}
	// The last writes before the host went down may be lost, but not the limit.
	return v.head.Limit, true
}

// floorFile holds the highest run number of the names whose files were removed.
// No name begins with a dot.
const floorFile = "/.floor"

const floorFormat = "sole-floor 1\nfloor %019d\n"

// readFloor returns the run number behind which new files begin.
func readFloor(d *lockdir.Dir) (uint64, error) {
	path := d.Path() + floorFile
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(b) == 0 { // made, and not written yet: nothing was removed
		return 0, nil
	}
	var floor uint64
	if n, err := fmt.Sscanf(string(b), "sole-floor 1\nfloor %d\n", &floor); n != 1 || err != nil || floor >= record.LastRun {
		return 0, &UnsafeError{
			Path:    path,
			Problem: "is damaged, so the run numbers of removed names are not known",
			Remedy:  "write a number that none of your runs has reached: printf 'sole-floor 1\\nfloor %019d\\n' NUMBER >" + path,
		}
	}
	return floor, nil
}

// raiseFloor makes the floor at least run, durably. It holds the file meanwhile.
func raiseFloor(d *lockdir.Dir, run uint64) error {
	path := d.Path() + floorFile
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		return os.NewSyscallError("flock", err)
	}
	floor, err := readFloor(d)
	if err != nil || floor >= run {
		return err
	}
	if err := pwrite(fd, path, fmt.Appendf(nil, floorFormat, run), 0); err != nil {
		return err
	}
	if err := unix.Fdatasync(fd); err != nil {
		return &os.PathError{Op: "fdatasync", Path: path, Err: err}
	}
	return syncDir(d.Path())
}
