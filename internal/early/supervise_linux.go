//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/fixed"
	"github.com/sole-run/sole/internal/signals"
)

const sigChild = 1 << (unix.SIGCHLD - 1)

// supervise passes signals on to the command and waits for its end, for which it gives
// the name up; not if there turns out to be no command, as now.spawn.errno says then.
// Whatever happens to the lock file is left to the ordinary code: ended is false then.
func (r *request) supervise(pid int) (code, signal int, ended bool) {
	// What was blocked from the start is no business of this process, as ever.
	wanted := signals.Supervised &^ now.ignored &^ (now.spawn.mask &^ sigChild)
	// From the first second on the lock file is watched, as by cmd/sole.
	const second = 1e9
	begin := clock(unix.CLOCK_MONOTONIC)
	for watched := false; ; {
		var errno syscall.Errno
		if watched {
			errno = nextWatching()
		} else {
			errno = nextWithin(wanted, second-(clock(unix.CLOCK_MONOTONIC)-begin))
		}
		if errno == unix.EAGAIN && watch(wanted) {
			watched = true
			continue
		}
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, 0, false
		}
		info := taken()
		switch sig := syscall.Signal(info.signo); {
		case sig == unix.SIGCHLD:
			ended, errno := commandEnded(pid)
			if errno != 0 {
				return 0, 0, false
			}
			if !ended {
				continue
			}
			// The child is waited for only when nothing is left to the ordinary code.
			started := now.spawn.errno == 0
			const exited = 1 // CLD_EXITED
			if info.code == exited {
				code = int(info.status) & 0xff
			} else {
				signal = int(info.status)
			}
			if started && !r.remember(code, signal) {
				return 0, 0, false
			}
			if started {
				unlock()
			}
			_, _ = sys(unix.SYS_WAIT4, uintptr(pid), 0, 0, 0, 0)
			return code, signal, true
		case stops(sig):
			stop(info, pid)
		case sig == unix.SIGCONT:
			resume(info, pid)
		default:
			now.passed |= 1 << (sig - 1)
			if !delivered(info) {
				forward(sig)
			}
		}
	}
}

// nextWithin takes a signal into now.info; EAGAIN if none comes in time.
func nextWithin(wanted uint64, nanoseconds int64) syscall.Errno {
	now.set = wanted
	now.ts = syscall.Timespec{}
	if nanoseconds > 0 {
		now.ts = syscall.Timespec{Sec: nanoseconds / 1e9, Nsec: nanoseconds % 1e9}
	}
	_, errno := sys(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&now.set)), uintptr(unsafe.Pointer(&now.info)),
		uintptr(unsafe.Pointer(&now.ts)), 8, 0)
	return errno
}

// watch makes two descriptors to wait on: for the signals, and for changes of the lock
// file and its directory, as Lock.Changes has them. It reports whether that can be had,
// and the file is still at its path.
func watch(wanted uint64) bool {
	now.set = wanted
	fd, errno := sys(unix.SYS_SIGNALFD4, ^uintptr(0), uintptr(unsafe.Pointer(&now.set)), 8, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK, 0)
	if errno != 0 {
		return false
	}
	now.wait[0].fd, now.wait[0].events = int32(fd), unix.POLLIN
	fd, errno = sys(unix.SYS_INOTIFY_INIT1, unix.IN_CLOEXEC|unix.IN_NONBLOCK, 0, 0, 0, 0)
	if errno != 0 {
		closeFD(int(now.wait[0].fd))
		return false
	}
	now.wait[1].fd, now.wait[1].events = int32(fd), unix.POLLIN
	w := fixed.Writer{B: now.line[:]}
	w.Text("/proc/self/fd/")
	w.Number(uint64(now.fd))
	w.Byte(0)
	ok := addWatch(fd, &now.line[0], unix.IN_ATTRIB|unix.IN_MOVE_SELF|unix.IN_DELETE_SELF)
	now.path[now.dirLen] = 0
	ok = ok && addWatch(fd, &now.path[0], unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
	now.path[now.dirLen] = '/'
	if ok && stat(&now.path[0], &now.st, unix.AT_SYMLINK_NOFOLLOW) && now.st.Dev == now.seen.Dev && now.st.Ino == now.seen.Ino {
		return true
	}
	stopWatching()
	return false
}

func addWatch(fd int, path *byte, mask uintptr) bool {
	_, errno := sys(unix.SYS_INOTIFY_ADD_WATCH, uintptr(fd), uintptr(unsafe.Pointer(path)), mask, 0, 0)
	return errno == 0
}

func stopWatching() {
	closeFD(int(now.wait[0].fd))
	closeFD(int(now.wait[1].fd))
}

// nextWatching takes a signal into now.info. EAGAIN says that something has happened to
// the lock file, which is not watched any more then.
func nextWatching() syscall.Errno {
	for {
		_, errno := sys(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&now.wait)), uintptr(len(now.wait)), 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || now.wait[1].revents != 0 {
			stopWatching()
			if errno == 0 {
				errno = unix.EAGAIN
			}
			return errno
		}
		n, errno := sys(unix.SYS_READ, uintptr(now.wait[0].fd), uintptr(unsafe.Pointer(&now.info)), uintptr(len(now.info)), 0, 0)
		if errno == unix.EAGAIN {
			continue
		}
		if errno == 0 && n != len(now.info) {
			errno = unix.EIO
		}
		if errno != 0 {
			stopWatching()
			return errno
		}
		// signalfd_siginfo has the same beginning, but the sender one place earlier.
		taken().pid = *(*int32)(unsafe.Pointer(&now.info[12]))
		return 0
	}
}

// commandEnded waits for whatever else has ended, which process 1 gets to do, and
// reports whether the command has. now.info says how then.
func commandEnded(pid int) (bool, syscall.Errno) {
	const pAll = 0
	info := taken()
	for {
		_, errno := sys(unix.SYS_WAITID, pAll, 0, uintptr(unsafe.Pointer(&now.info)), unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, 0)
		if errno != 0 || info.pid == 0 {
			return false, errno
		}
		if info.pid == int32(pid) {
			return true, 0
		}
		_, _ = sys(unix.SYS_WAIT4, uintptr(info.pid), 0, 0, 0, 0)
	}
}
