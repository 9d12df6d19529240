package lockdir

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// facts are what stat(2) tells of a file, without its times.
type facts struct {
	dev, ino, links uint64
	mode, uid       uint32
	size            int64
}

// noStatx is set once the system turned out to have no statx(2), or to refuse it.
var noStatx atomic.Bool

// statAt asks for the file's facts; path is "" for dirfd itself. It does not ask for the
// times: since Linux 6.13 a write after somebody asked for them has to be stamped by a finer
// clock (multigrain timestamps), which costs more than the write itself: on ext4 a change of
// the inode in the journal.
func statAt(dirfd int, path string, flags int) (facts, error) {
	const want = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_NLINK | unix.STATX_UID | unix.STATX_INO | unix.STATX_SIZE
	if noStatx.Load() {
		return oldStatAt(dirfd, path, flags)
	}
	if path == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	var x unix.Statx_t
	err := unix.Statx(dirfd, path, flags, want, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // older than Linux 4.11, or a filter that does not know it
		f, err := oldStatAt(dirfd, path, flags)
		noStatx.Store(err == nil)
		return f, err
	}
	if err != nil {
		return facts{}, err
	}
	return facts{
		dev: unix.Mkdev(x.Dev_major, x.Dev_minor), ino: x.Ino, links: uint64(x.Nlink),
		mode: uint32(x.Mode), uid: x.Uid, size: int64(x.Size),
	}, nil
}

func oldStatAt(dirfd int, path string, flags int) (facts, error) {
	var st unix.Stat_t
	var err error
	if path == "" {
		err = unix.Fstat(dirfd, &st)
	} else {
		err = unix.Fstatat(dirfd, path, &st, flags)
	}
	return factsOf(&st), err
}

func factsOf(st *unix.Stat_t) facts {
	return facts{dev: st.Dev, ino: st.Ino, links: uint64(st.Nlink), mode: st.Mode, uid: st.Uid, size: st.Size}
}
