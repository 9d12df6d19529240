package sole

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

// Wait returns when the run that holds the name now has ended, at once if the name
// is free; of a name that is shared, when all that hold it now have ended. It does not queue for
// the name, takes no lock, and does not poll, unless the holder cannot be seen from here: then it
// looks once a second. When ctx ends, the error is ctx's.
func Wait(ctx context.Context, name string, opts ...Option) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir, err := openDir(collect(opts), lockdir.Look)
	if err != nil {
		return err
	}
	st, err := inspect(dir, name, nil)
	if err != nil || st.State == Free {
		return err
	}
	for _, h := range st.Holders() {
		if err := awaitEnd(ctx, dir, h, nil); err != nil {
			return err
		}
	}
	return nil
}

// awaitEnd waits for the end of the run that st describes, or until enough, if it is
// not nil, says so of how the run is now.
func awaitEnd(ctx context.Context, dir *lockdir.Dir, st Status, enough func(Status) bool) error {
	w, err := newWaker(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The watch comes before the look, so that nothing falls in between.
		w.watch(st.Path)
		all, err := inspectUntil(ctx, dir, st.Name, nil)
		if err != nil {
			return err
		}
		now, runs := all.same(st)
		if !runs {
			return nil
		}
		if enough != nil && enough(now) {
			return nil
		}
		if err := w.sleep(now); err != nil {
			return err
		}
	}
}

// waker sleeps until something happens to a run.
type waker struct {
	cancelled int // eventfd, readable when the context has ended
	inotify   int // -1 if there are none left
	stop      func() bool
}

func newWaker(ctx context.Context) (*waker, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	w := &waker{cancelled: event, inotify: -1}
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ran)
		_, _ = unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
	w.stop = func() bool {
		if stop() {
			return true
		}
		<-ran // it must not write to a descriptor that is somebody else's by then
		return false
	}
	return w, nil
}

func (w *waker) close() {
	w.stop()
	_ = unix.Close(w.cancelled)
	if w.inotify >= 0 {
		_ = unix.Close(w.inotify)
	}
}

// watch wakes the next sleep when the file at path is written, closed or moved.
func (w *waker) watch(path string) {
	if w.inotify >= 0 {
		_ = unix.Close(w.inotify)
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		w.inotify = -1
		return
	}
	w.inotify = fd
	_, _ = unix.InotifyAddWatch(fd, path, unix.IN_MODIFY|unix.IN_CLOSE_WRITE|unix.IN_ATTRIB|unix.IN_MOVE_SELF)
}

// sleep returns when something happened that may have ended the run.
func (w *waker) sleep(st Status) error {
	fds := []unix.PollFd{{Fd: int32(w.cancelled), Events: unix.POLLIN}}
	if w.inotify >= 0 {
		fds = append(fds, unix.PollFd{Fd: int32(w.inotify), Events: unix.POLLIN})
	}
	ids := []proc.ID{st.holder, st.child}
	for _, pid := range st.Leftover {
		if id, err := proc.Of(pid); err == nil {
			ids = append(ids, id)
		}
	}
	seen := 0
	for _, id := range ids {
		if st.Elsewhere {
			break
		}
		if h, err := id.Open(); err == nil {
			defer h.Close()
			if h.FD() >= 0 {
				fds = append(fds, unix.PollFd{Fd: int32(h.FD()), Events: unix.POLLIN})
				seen++
			}
		}
	}
	timeout := time.Duration(-1)
	if seen == 0 || w.inotify < 0 {
		timeout = time.Second
	}
	return pollFor(fds, timeout)
}

func pollFor(fds []unix.PollFd, timeout time.Duration) error {
	ms := -1
	if timeout >= 0 {
		ms = int(timeout.Milliseconds())
	}
	_, err := unix.Poll(fds, ms)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("poll", err)
	}
	return nil
}
