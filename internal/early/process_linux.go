//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
)

// identify is proc.Of where there are pidfds with numbers of their own. With ended it
// says whether the process, which nobody has waited for, has ended.
func identify(pid int) (id proc.ID, ended bool, errno syscall.Errno) {
	fd, errno := sys(unix.SYS_PIDFD_OPEN, uintptr(pid), 0, 0, 0, 0)
	if errno != 0 {
		return id, false, errno
	}
	kind, ok := fstatfs(fd)
	ok = ok && kind == unix.PID_FS_MAGIC && fstat(fd, &now.st)
	now.poll.fd, now.poll.events = int32(fd), unix.POLLIN
	now.ts.Sec, now.ts.Nsec = 0, 0
	n, errno := sys(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&now.poll)), 1, uintptr(unsafe.Pointer(&now.ts)), 0, 0)
	closeFD(fd)
	if errno == 0 && !ok {
		errno = unix.ENOTSUP
	}
	return proc.ID{PID: pid, Inode: now.st.Ino}, n > 0, errno
}

// alive reports whether the process is known to live.
func alive(id proc.ID) bool {
	is, ended, errno := identify(id.PID)
	return errno == 0 && id.PID > 0 && is == id && !ended
}

// gone reports whether the process is known to have ended.
func gone(id proc.ID) bool {
	if id.PID == 0 {
		return true
	}
	is, ended, errno := identify(id.PID)
	return errno == unix.ESRCH || errno == 0 && id.Inode != 0 && (is != id || ended)
}
