package sole

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
)

// Inspect says what is known of a name. It takes no lock, so it can neither delay a
// start nor make one skip.
//
// A name that never ran is free. The error wraps fs.ErrPermission where the caller may
// not look: that is not to be taken for free.
func Inspect(name string, opts ...Option) (Status, error) {
	if err := checkName(name); err != nil {
		return Status{}, err
	}
	dir, err := openDir(collect(opts), lockdir.Look)
	if err != nil {
		return Status{}, err
	}
	return inspect(dir, name, nil)
}

// inspect looks at the name in dir. table is what the kernel knows, nil to ask it.
func inspect(dir *lockdir.Dir, name string, table locktable.Table) (Status, error) {
	return inspectUntil(withoutEnd, dir, name, table)
}

// inspectUntil is inspect, but returns ctx's error when ctx ends while it looks for the
// holder of a lock that nobody admits to having.
func inspectUntil(ctx context.Context, dir *lockdir.Dir, name string, table locktable.Table) (Status, error) {
	f, err := dir.Look(name)
	if errors.Is(err, lockdir.ErrNoFile) {
		return inspectMissing(dir, name), nil
	}
	if err != nil {
		return Status{}, fault(err)
	}
	defer unix.Close(f.FD)
	if table != nil && table.On(locktable.KeyOf(f.Dev, f.Ino), locktable.Loose(f.FD)) == nil {
		// Neither the file nor the kernel knows of a holder: the usual case.
		v, err := readView(f.FD)
		if err != nil {
			return Status{}, err
		}
		if !v.marked && !v.rec.Unmarked && (v.recErr == nil || v.headErr == nil) {
			st := v.status(name, &f)
			st.Waiters = queue.Count(f.FD) // those that are stopped
			return st, nil
		}
	}
	st, err := lookHard(ctx, dir, &f, name)
	if err == nil {
		st.Waiters = queue.Count(f.FD)
		for i := range st.Others {
			st.Others[i].Waiters = st.Waiters
		}
	}
	if err == nil && table == nil && st.Waiters > 0 {
		st.Waiting = waiting(f.FD)
	}
	return st, err
}

// waiting is who waits.
func waiting(fd int) []Waiter {
	list, _ := queue.List(fd) // what was seen before an error is so
	now := uptime()
	all := make([]Waiter, len(list))
	for i, w := range list {
		all[i] = Waiter{PID: w.PID, For: waitsFor(w.Class), Seconds: (now - w.Since).Seconds(), Stopped: w.Stopped}
		if w.PID != 0 {
			all[i].Command = commandOf(w.PID)
		}
	}
	return all
}

func waitsFor(c queue.Class) string {
	switch c {
	case queue.Shared:
		return string(SharedBy)
	case queue.Slot:
		return string(SlotsUsed)
	case queue.Front:
		return "replace"
	}
	return string(Alone)
}

// commandOf is the command line of a process, nil if it cannot be read.
func commandOf(pid int) []string {
	b, err := os.ReadFile("/proc/" + itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// inspectMissing is the Status of a name that has no lock file: free, unless somebody
// holds the one that was there until it was deleted, and has not put it back yet.
func inspectMissing(dir *lockdir.Dir, name string) Status {
	st := Status{Name: name, State: Free, Method: MethodFlock, Path: dir.File(name)}
	var s unix.Stat_t
	if dir.Missing() || unix.Stat(dir.Path(), &s) != nil {
		return st
	}
	return heldDeleted(st, locktable.KeyOf(s.Dev, 0), dir.Loose())
}

// heldDeleted is st, but held if somebody holds a file that was at its path.
func heldDeleted(st Status, k locktable.Key, loose bool) Status {
	for _, pid := range locktable.DeletedHolders(st.Path, k, loose) {
		st.State, st.Mode = Held, Alone
		return ofProcess(st, pid)
	}
	return st
}

// lookHard asks the file and the kernel until they agree. A lock that is being taken
// or given up is seen for a moment without a record, or with one that says free. The error is ctx's when
// that ends meanwhile.
func lookHard(ctx context.Context, dir *lockdir.Dir, f *lockdir.File, name string) (Status, error) {
	deadline := time.Now().Add(settleTotal)
	k, loose := locktable.KeyOf(f.Dev, f.Ino), locktable.Loose(f.FD)
	for pause := settleFirst; ; pause = min(2*pause, settleLast) {
		if err := ctx.Err(); err != nil {
			return Status{}, err
		}
		v, err := readView(f.FD)
		if err != nil {
			return Status{}, err
		}
		late := time.Now().After(deadline)
		st, found, err := recorded(v, dir, f, name, k, loose)
		if err != nil {
			return Status{}, err
		}
		if found && (settled(st) || late) {
			return st, nil
		}
		if found || v.held() && !late {
			if err := pass(ctx, pause); err != nil {
				return Status{}, err
			}
			continue
		}
		entry, err := lockEntry(k, loose)
		if err != nil {
			return Status{}, err
		}
		if entry == nil {
			st := v.status(name, f)
			if v.recErr != nil { // a start made the file, and gave way to the old one's holder
				st = heldDeleted(st, k, loose)
			}
			return st, nil
		}
		if !late {
			if err := pass(ctx, pause); err != nil {
				return Status{}, err
			}
			continue
		}
		// Somebody holds the file and says nothing: not sole, or one that was
		// killed while a process that it left behind has the descriptor.
		waits := whoWaits(f.FD)
		if !slices.ContainsFunc(entry.Holders, func(pid int) bool { return !waits[pid] }) {
			return v.status(name, f), nil // one that has it before its turn, and is about to give it back
		}
		return unrecorded(entry, name, f, k, loose, waits), nil
	}
}

// recorded is the Status of a name whose holders have records, and whether it is that.
func recorded(v view, dir *lockdir.Dir, f *lockdir.File, name string, k locktable.Key, loose bool) (Status, bool, error) {
	var st, now Status
	if v.held() {
		st = complete(v.describeHeld(name, f), k, loose)
	} else {
		var shared bool
		if st, shared = seated(dir, f, name); shared {
			v.usual(&st)
		} else {
			return Status{}, false, nil
		}
		others := make([]Status, len(st.Others))
		for i := range st.Others {
			others[i] = complete(st.Others[i], k, loose)
		}
		st = complete(st, k, loose)
		st.Others = others
	}
	// The processes that were found belong to a run only if it still has the name.
	for _, h := range st.Holders() {
		if !h.Orphaned && len(h.Leftover) == 0 {
			continue
		}
		if now.State == "" {
			again, err := readView(f.FD)
			if err != nil {
				return Status{}, false, err
			}
			if now, _ = seated(dir, f, name); again.held() {
				now = again.describeHeld(name, f)
			}
		}
		if _, runs := now.same(h); !runs {
			return Status{}, false, nil
		}
	}
	return st, true, nil
}

// settled reports whether a process of each holder lives. A seat that somebody is about
// to take has the record of its last holder for a moment, and of a process that was killed the
// last thread gives up the lock.
func settled(st Status) bool {
	for _, h := range st.Holders() {
		if h.Orphaned && h.ChildPID == 0 && len(h.Leftover) == 0 {
			return false
		}
	}
	return true
}

// whoWaits are the processes that wait for the file.
func whoWaits(fd int) map[int]bool {
	list, _ := queue.List(fd) // what was seen before an error is so
	pids := make(map[int]bool, len(list))
	for _, w := range list {
		pids[w.PID] = true
	}
	return pids
}

// unrecorded is the Status of a name whose file is locked without a record. One that waits
// is not the holder, though it may have the lock for a moment, and must not be ended as that.
func unrecorded(entry *locktable.Entry, name string, f *lockdir.File, k locktable.Key, loose bool, waits map[int]bool) Status {
	// Without the number of a run: that in the record is another one's.
	st := Status{Name: name, State: Held, Mode: Alone, Method: MethodFlock, Path: f.Path}
	for _, pid := range append(locktable.Holders(k, loose), entry.Holders...) {
		if waits[pid] {
			continue
		}
		if id, err := proc.Of(pid); err == nil && pid > 0 {
			if alive, err := id.Alive(); err == nil && alive {
				return ofProcess(st, pid)
			}
		}
	}
	st.Orphaned = true
	return st
}

// complete adds who else holds the name, where the record cannot know it.
func complete(st Status, k locktable.Key, loose bool) Status {
	if st.Elsewhere || st.ChildPID != 0 || !st.Orphaned && st.child.PID == 0 {
		return st
	}
	for _, pid := range having(st, k, loose) {
		if pid != st.PID {
			st.Leftover = append(st.Leftover, pid)
		}
	}
	if st.Orphaned && len(st.Leftover) > 0 {
		st.ChildPID = st.Leftover[0]
		st.child, _ = proc.Of(st.ChildPID)
	}
	return st
}

// having are the processes that have the lock file of a run as it left it to them. Others
// may share the lock, or be about to get it.
func having(st Status, k locktable.Key, loose bool) []int {
	if st.unmarked {
		return locktable.Holders(k, loose)
	}
	return locktable.Markers(k, loose, st.mark)
}

// has reports whether the process is one of those having the lock file.
func has(pid int, st Status, k locktable.Key, loose bool) bool {
	if st.unmarked {
		return locktable.Holds(pid, k, loose)
	}
	return locktable.Marks(pid, k, loose, st.mark)
}

// ofProcess fills in st from the process pid, which holds the name without saying so.
func ofProcess(st Status, pid int) Status {
	st.PID = pid
	st.holder, _ = proc.Of(pid)
	base := "/proc/" + itoa(pid)
	st.Command = commandOf(pid)
	if cwd, err := os.Readlink(base + "/cwd"); err == nil {
		st.Cwd = cwd
	}
	var s unix.Stat_t
	if unix.Stat(base, &s) == nil {
		st.User = userName(s.Uid)
	}
	return st
}

func lockEntry(k locktable.Key, loose bool) (*locktable.Entry, error) {
	t, err := locktable.Read()
	if err != nil {
		return nil, err
	}
	e := t.On(k, loose)
	if e != nil && len(e.Holders) == 0 {
		return nil, nil
	}
	return e, nil
}
