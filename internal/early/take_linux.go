//go:build linux && (amd64 || arm64)

package early

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

// take takes the name, writes the record and marks the file, as docs/protocol.md says.
// Until it writes, all that it does ends with the descriptor.
func (r *request) take() verdict {
	fd, errno := open(&now.path[0], unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY)
	if errno != 0 {
		return ordinary
	}
	now.fd = fd
	v := r.lock()
	if v == fine {
		v = r.admit()
	}
	if v == ordinary {
		closeFD(now.fd)
	}
	return v
}

// nobodyWaits reports whether the file has no waiter.
func nobodyWaits() bool {
	return ofd(now.fd, unix.F_OFD_GETLK, unix.F_WRLCK, record.WaiterMarks, record.WaiterMarksEnd-record.WaiterMarks) &&
		now.lk.Type == unix.F_UNLCK
}

// lock takes the flock(2) of the file, if it is the file that is meant, and nobody waits.
func (r *request) lock() verdict {
	if !nobodyWaits() {
		return ordinary
	}
	_, errno := sys(unix.SYS_FLOCK, uintptr(now.fd), unix.LOCK_EX|unix.LOCK_NB, 0, 0, 0)
	if errno != 0 && errno != unix.EWOULDBLOCK {
		return ordinary
	}
	st := &now.seen
	if !fstat(now.fd, st) || !lockdir.FitFile(st.Mode, st.Uid, uint64(st.Nlink), r.euid) {
		return ordinary
	}
	if errno != 0 {
		return busy
	}
	if !nobodyWaits() { // somebody came in between
		return ordinary
	}
	if !stat(&now.path[0], &now.st, unix.AT_SYMLINK_NOFOLLOW) || now.st.Dev != st.Dev || now.st.Ino != st.Ino {
		return ordinary
	}
	return fine
}

// maxTail is more than the skips that are counted in the file may take without being
// cut off.
const maxTail = 1 << 20

// admit writes the record of this run behind a whole one of this start of the host,
// whose run has ended. A run with --exec never says so: its process must be gone, or
// it might hold a file that was at the path before this one.
func (r *request) admit() verdict {
	n, ok := pread(now.fd, now.page[:], 0)
	if !ok || n != len(now.page) || now.seen.Size > record.End+maxTail {
		return ordinary
	}
	head, fault := record.ScanHeader(now.page[:])
	if fault != record.Sound {
		return ordinary
	}
	old, state, texts, fault := record.Scan(now.page[record.HeaderSize:])
	if fault != record.Sound {
		return ordinary
	}
	kind, ok := fstatfs(now.fd)
	if !ok || lockdir.Odd(kind) != "" {
		return ordinary
	}
	if !r.describe() || now.rec.Place.Boot != old.Place.Boot {
		return ordinary
	}
	if state != record.Free && (now.rec.Place != old.Place || !gone(old.Holder) || !gone(old.Child)) {
		return ordinary
	}
	now.rec.Run = old.Next(head, &now.rec.Place.Boot)
	if now.rec.Run > head.Limit || now.rec.Run >= record.LastRun {
		return ordinary
	}
	now.head = head
	if !r.openHistory() {
		return ordinary
	}
	if state != record.Free && !r.closeEarlier(&old, texts) || !r.ready() {
		closeFD(now.pastFD)
		return ordinary
	}
	return r.write()
}

// ready does what comes before the record.
func (r *request) ready() bool {
	if !r.findProgram() || !r.variables() {
		return false
	}
	if !r.exec && ignored(uintptr(unix.SIGCHLD)) { // nobody would tell of the command's end
		return false
	}
	// Where the command inherits it, as Lock.Inherit does.
	const inheritFrom = 50
	high, ok := fcntl(now.fd, unix.F_DUPFD, inheritFrom)
	if ok {
		closeFD(now.fd)
		now.fd = high
	}
	return ok
}

// write writes the record and marks the file.
func (r *request) write() verdict {
	if r.record() && ofd(now.fd, unix.F_OFD_SETLK, unix.F_RDLCK, record.HolderMark, 1) {
		if now.recordEnd > 0 {
			_ = r.appendHistory() // if it fails, so will that of this run, which is said
		}
		return fine
	}
	_ = sayFree()
	unlock()
	closeFD(now.pastFD)
	return ordinary
}

// record writes the record.
func (r *request) record() bool {
	page := (*[record.Size]byte)(now.page[record.HeaderSize:])
	now.rec.EncodePlain(page, record.Held)
	return pwrite(now.fd, page[:], record.HeaderSize)
}

// sayFree writes the end of the run into the record.
func sayFree() bool {
	return pwrite(now.fd, unsafe.Slice(unsafe.StringData(freeWord), len(freeWord)), record.StateAt)
}

const freeWord = "free"

// unlock gives the name up.
func unlock() {
	_, _ = sys(unix.SYS_FLOCK, uintptr(now.fd), unix.LOCK_UN, 0, 0, 0)
	_ = ofd(now.fd, unix.F_OFD_SETLK, unix.F_UNLCK, record.HolderMark, 1)
}

// describe fills in the record, but for the run number.
func (r *request) describe() bool {
	rec := &now.rec
	var ok bool
	if rec.Place, ok = here(); !ok {
		return false
	}
	pid, _ := sys(unix.SYS_GETPID, 0, 0, 0, 0, 0)
	self, _, errno := identify(pid)
	if errno != 0 {
		return false
	}
	rec.Holder = self
	rec.UID = r.euid
	rec.Started = time.Unix(0, clock(unix.CLOCK_REALTIME))
	rec.Uptime = time.Duration(clock(unix.CLOCK_BOOTTIME))
	rec.SkipsFrom = max(now.seen.Size, record.End)
	rec.Method = "flock"
	rec.Command = now.args[:r.words]
	rec.Cwd, ok = r.workingDir()
	return ok
}

// Paths for the kernel.
const (
	bootFile = "/proc/sys/kernel/random/boot_id\x00"
	pidsFile = "/proc/self/ns/pid\x00"
	dot      = ".\x00"
)

// here is proc.Here.
func here() (p proc.Place, ok bool) {
	fd, errno := open(cstring(bootFile), unix.O_RDONLY)
	if errno != 0 {
		return p, false
	}
	n, errno := sys(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&now.info)), uintptr(len(p.Boot)), 0, 0)
	closeFD(fd)
	if errno != 0 || n != len(p.Boot) || !stat(cstring(pidsFile), &now.st, 0) {
		return p, false
	}
	copy(p.Boot[:], now.info[:])
	p.PIDs = now.st.Ino
	return p, true
}

// workingDir is os.Getwd: PWD if that is the working directory. One that is deleted has no
// path; !ok if its path is long.
func (r *request) workingDir() (dir string, ok bool) {
	if r.pwd != "" && r.pwd[0] == '/' && stat(cstring(dot), &now.st, 0) {
		dev, ino := now.st.Dev, now.st.Ino
		if stat(unsafe.StringData(r.pwd), &now.st, 0) && now.st.Dev == dev && now.st.Ino == ino {
			return r.pwd, true
		}
	}
	n, errno := sys(unix.SYS_GETCWD, uintptr(unsafe.Pointer(&now.cwd)), uintptr(len(now.cwd)), 0, 0, 0)
	if errno != 0 || n < 2 || now.cwd[0] != '/' {
		return "", errno == 0 || errno == unix.ENOENT
	}
	return str(now.cwd[:n-1]), true
}
