//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sys makes a system call. What the kernel is to write to must be part of now.
func sys(number, a, b, c, d, e uintptr) (int, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(number, a, b, c, d, e, 0)
	return int(r), errno
}

// cstring is s, which ends with a NUL, for the kernel.
func cstring(s string) *byte { return unsafe.StringData(s) }

const atCWD = ^uintptr(99) // AT_FDCWD, -100

func open(path *byte, flags uintptr) (int, syscall.Errno) {
	return sys(unix.SYS_OPENAT, atCWD, uintptr(unsafe.Pointer(path)), flags|unix.O_CLOEXEC, 0, 0)
}

func closeFD(fd int) { _, _ = sys(unix.SYS_CLOSE, uintptr(fd), 0, 0, 0, 0) }

// stat fills in st.
func stat(path *byte, st *syscall.Stat_t, flags uintptr) bool {
	_, errno := sys(unix.SYS_NEWFSTATAT, atCWD, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(st)), flags, 0)
	return errno == 0
}

func fstat(fd int, st *syscall.Stat_t) bool {
	_, errno := sys(unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(st)), 0, 0, 0)
	return errno == 0
}

func fstatfs(fd int) (kind int64, ok bool) {
	_, errno := sys(unix.SYS_FSTATFS, uintptr(fd), uintptr(unsafe.Pointer(&now.fs)), 0, 0, 0)
	return int64(now.fs.Type), errno == 0
}

func fcntl(fd int, cmd, arg uintptr) (int, bool) {
	n, errno := sys(unix.SYS_FCNTL, uintptr(fd), cmd, arg, 0, 0)
	return n, errno == 0
}

// pread reads b whole, or as much as there is.
func pread(fd int, b []byte, off int64) (int, bool) {
	n, errno := sys(unix.SYS_PREAD64, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(off), 0)
	return n, errno == 0
}

// pwrite reports whether all of b was written.
func pwrite(fd int, b []byte, off int64) bool {
	n, errno := sys(unix.SYS_PWRITE64, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(off), 0)
	return errno == 0 && n == len(b)
}

// readFile reads a small file into now.file; !ok if it does not fit.
func readFile(path *byte) (b []byte, errno syscall.Errno) {
	fd, errno := open(path, unix.O_RDONLY|unix.O_NOCTTY)
	if errno != 0 {
		return nil, errno
	}
	n, errno := sys(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&now.file)), uintptr(len(now.file)), 0, 0)
	closeFD(fd)
	if errno == 0 && n == len(now.file) {
		errno = unix.EFBIG
	}
	if errno != 0 {
		return nil, errno
	}
	return now.file[:n], 0
}

// clock returns the clock's time in nanoseconds.
func clock(which uintptr) int64 {
	_, _ = sys(unix.SYS_CLOCK_GETTIME, which, uintptr(unsafe.Pointer(&now.ts)), 0, 0, 0)
	return now.ts.Sec*1e9 + now.ts.Nsec
}

// ofd asks for or sets an open file description lock.
func ofd(fd int, cmd uintptr, kind int16, start, length int64) bool {
	now.lk = syscall.Flock_t{Type: kind, Start: start, Len: length}
	_, ok := fcntl(fd, cmd, uintptr(unsafe.Pointer(&now.lk)))
	return ok
}

// mask changes the signal mask and returns the earlier one.
func mask(how uintptr, set uint64) (before uint64, ok bool) {
	now.set = set
	_, errno := sys(unix.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(&now.set)), uintptr(unsafe.Pointer(&now.act)), 8, 0)
	return now.act[0], errno == 0
}

func exit(code int) {
	for {
		_, _ = sys(unix.SYS_EXIT_GROUP, uintptr(code), 0, 0, 0, 0)
	}
}
