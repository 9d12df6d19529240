package proc

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// pidfsMagic is the f_type of a pidfd whose inode number means something
// (PID_FS_MAGIC in linux/magic.h). Before Linux 6.9 all pidfds shared one inode.
const pidfsMagic = 0x50494446

// Self is the ID of this process.
var Self = sync.OnceValues(func() (ID, error) { return Of(os.Getpid()) })

// Of makes the ID of the process that has pid now. The error is ErrGone if
// there is none.
func Of(pid int) (ID, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
		defer unix.Close(fd)
		return OfPidfd(fd, pid)
	case unix.ESRCH, unix.EINVAL, unix.ENOENT: // not a pid, or a thread's (ENOENT since Linux 6.15)
		return ID{}, ErrGone
	case unix.ENOSYS, unix.EPERM: // EPERM: a container's seccomp filter
		return byStart(pid)
	}
	return ID{}, os.NewSyscallError("pidfd_open", err)
}

// OfPidfd makes the ID of the process pid, of which fd is a pidfd. With fd -1 it
// uses the start time.
func OfPidfd(fd, pid int) (ID, error) {
	if fd < 0 || !hasPidfs(fd) {
		return byStart(pid)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return ID{}, os.NewSyscallError("fstat", err)
	}
	return ID{PID: pid, Inode: st.Ino}, nil
}

var (
	pidfsOnce sync.Once
	pidfs     bool
)

func hasPidfs(fd int) bool {
	pidfsOnce.Do(func() {
		var st unix.Statfs_t
		pidfs = unix.Fstatfs(fd, &st) == nil && int64(st.Type) == pidfsMagic
	})
	return pidfs
}

func byStart(pid int) (ID, error) {
	st, err := ReadStat(pid)
	if err != nil {
		return ID{}, err
	}
	return ID{PID: pid, Start: st.Start}, nil
}
