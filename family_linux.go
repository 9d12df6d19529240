package sole

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/locktable"
	"github.com/sole-run/sole/internal/proc"
)

// family is a run's processes, but for its supervisor: what descends from the command, and
// whoever inherited the lock file from it, which a daemon does that has left its parents.
// Each is held by a handle, so that no other process is taken for it.
type family struct {
	members map[int]*proc.Handle
	killAt  time.Time
}

// ofRun finds the processes of the run that are there now. It returns nil if the run ended
// meanwhile, for then the lock file may have been somebody else's.
func ofRun(ctx context.Context, dir *lockdir.Dir, file *lockdir.File, st Status, killAt time.Time) *family {
	f := &family{members: make(map[int]*proc.Handle), killAt: killAt}
	for _, id := range targets(st) {
		f.add(id.PID, st)
	}
	k, loose := locktable.KeyOf(file.Dev, file.Ino), locktable.Loose(file.FD)
	all, _ := proc.All()
	for _, pid := range all {
		if ctx.Err() != nil { // there may be many
			break
		}
		if has(pid, st, k, loose) {
			f.add(pid, st)
		}
	}
	f.addDescendants(ctx, st)
	now, err := inspectUntil(ctx, dir, st.Name, nil)
	if _, runs := now.same(st); err != nil || !runs {
		f.close()
		return nil
	}
	return f
}

// add adds a process, but for this one and the supervisor.
func (f *family) add(pid int, st Status) {
	if pid == os.Getpid() || pid == st.PID && st.ChildPID != 0 || f.members[pid] != nil {
		return
	}
	id, err := proc.Of(pid)
	if err != nil {
		return
	}
	if h, err := id.Open(); err == nil {
		f.members[pid] = h
	}
}

// addDescendants adds what descends from the members.
func (f *family) addDescendants(ctx context.Context, st Status) {
	for _, root := range slices.Collect(maps.Keys(f.members)) {
		if ctx.Err() != nil {
			return
		}
		below, err := proc.Descendants(root, nil)
		// Below a pid that is another process's by now there may be strangers.
		if alive, _ := f.members[root].Alive(); err != nil || !alive {
			continue
		}
		for _, d := range below {
			f.add(d.PID, st)
		}
	}
}

// terminate asks all to end, but for those that Stop asks.
func (f *family) terminate(st Status) {
	asked := targets(st)
	for pid, h := range f.members {
		if !slices.ContainsFunc(asked, func(id proc.ID) bool { return id.PID == pid }) {
			_ = h.Signal(unix.SIGTERM)
			_ = h.Signal(unix.SIGCONT)
		}
	}
}

// end returns when every member has ended: by itself until killAt, then by SIGKILL. What
// may not be signalled is left alone. The error is ctx's.
func (f *family) end(ctx context.Context) error {
	w, err := newWaker(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for killed := false; ; {
		fds := []unix.PollFd{{Fd: int32(w.cancelled), Events: unix.POLLIN}}
		for pid, h := range f.members {
			if alive, err := h.Alive(); err == nil && !alive {
				h.Close()
				delete(f.members, pid)
				continue
			}
			if killed && h.Signal(unix.SIGKILL) != nil {
				h.Close()
				delete(f.members, pid)
				continue
			}
			if h.FD() >= 0 {
				fds = append(fds, unix.PollFd{Fd: int32(h.FD()), Events: unix.POLLIN})
			}
		}
		if len(f.members) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		left := time.Until(f.killAt)
		if killed || left <= 0 {
			f.addDescendants(ctx, Status{}) // what was started while the others ended
		}
		if !killed && left <= 0 {
			killed = true
			continue
		}
		if killed || len(fds) == 1 { // a descendant that could not be waited for
			left = 100 * time.Millisecond
		}
		if err := pollFor(fds, max(left, time.Millisecond)); err != nil {
			return err
		}
	}
}

// close forgets the members.
func (f *family) close() {
	for _, h := range f.members {
		h.Close()
	}
	f.members = nil
}
