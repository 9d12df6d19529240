//go:build linux && (amd64 || arm64)

package early

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/fixed"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/record"
)

// openHistory opens the history of the name for appending. What is not there yet, is due to be rotated,
// or cannot be trusted is left to the ordinary code.
func (r *request) openHistory() bool {
	w := fixed.Writer{B: now.past[:]}
	w.Text(str(now.path[:now.dirLen]))
	w.Byte('/')
	w.Text(r.name)
	w.Text(lockdir.HistorySuffix)
	w.Byte(0)
	if !w.Fits() || !r.openPast(0) {
		return false
	}
	if now.st.Size < history.Limit {
		return true
	}
	closeFD(now.pastFD)
	return false
}

// openPast opens the file at now.past and judges it; now.st is what it is then.
func (r *request) openPast(create uintptr) bool {
	fd, errno := sys(unix.SYS_OPENAT, atCWD, uintptr(unsafe.Pointer(&now.past)),
		unix.O_RDWR|unix.O_APPEND|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|create, 0o600, 0)
	if errno != 0 {
		now.pastErr = errno
		return false
	}
	if !fstat(fd, &now.st) || !lockdir.FitFile(now.st.Mode, now.st.Uid, uint64(now.st.Nlink), r.euid) {
		closeFD(fd)
		now.pastErr = unix.EPERM
		return false
	}
	now.pastFD = fd
	return true
}

// encode puts a record into now.copy, with room for a byte before it. now.copy is not to be used until
// [request.appendHistory].
func encode(e *history.Entry) {
	now.recordEnd = 1 + e.Encode((*[history.MaxLine]byte)(now.copy[1:]))
}

// appendHistory writes the record that was encoded, as history.Append does. Somebody may have deleted the
// file since it was opened, or rotated it twice.
func (r *request) appendHistory() bool {
	_, _ = sys(unix.SYS_FLOCK, uintptr(now.pastFD), unix.LOCK_SH|unix.LOCK_NB, 0, 0, 0)
	if !fstat(now.pastFD, &now.st) || now.st.Nlink == 0 {
		closeFD(now.pastFD)
		now.pastFD = -1 // for [Take]
		if !r.openPast(unix.O_CREAT) {
			return false
		}
	}
	line := now.copy[1:now.recordEnd]
	if now.st.Size > 0 {
		got, ok := pread(now.pastFD, now.copy[:1], now.st.Size-1)
		if !ok || got != 1 || now.copy[0] != '\n' { // torn
			now.copy[0] = '\n'
			line = now.copy[:now.recordEnd]
		}
	}
	wrote, errno := sys(unix.SYS_WRITE, uintptr(now.pastFD), uintptr(unsafe.Pointer(unsafe.SliceData(line))), uintptr(len(line)), 0, 0)
	if errno == 0 && wrote < len(line) {
		errno = unix.ENOSPC
	}
	now.pastErr = errno
	return errno == 0
}

// warnHistory says what cmd/sole says when the history could not be written.
func (r *request) warnHistory() {
	w := fixed.Writer{B: now.line[:]}
	w.Text("sole: ")
	w.Text(r.name)
	w.Text(": its history could not be written: cannot write ")
	w.Text(text(&now.past[0]))
	w.Text(": ")
	switch now.pastErr {
	case unix.ENOSPC:
		w.Text("no space left on device")
	case unix.EDQUOT:
		w.Text("disk quota exceeded")
	case unix.EIO:
		w.Text("input/output error")
	case unix.EROFS:
		w.Text("read-only file system")
	case unix.ENOENT: // with its directory
		w.Text("no such file or directory")
	case unix.EPERM:
		w.Text("operation not permitted")
	default:
		w.Text("errno ")
		w.Number(uint64(now.pastErr))
	}
	w.Byte('\n')
	complain(now.line[:min(w.N, len(now.line))])
}

// entry is what every record of this name has.
func (r *request) entry(uid uint32) history.Entry {
	return history.Entry{Name: r.name, ExitCode: history.NoCode, User: userOf(uid), Host: hostName()}
}

// userOf is the name of a user, the number if there is none. It is valid until the next call.
func userOf(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	w := fixed.Writer{B: now.user[:]}
	if name, _, ok := passwd(uid); ok && len(name) <= len(now.user) {
		w.Text(name)
	} else {
		w.Number(uint64(uid))
	}
	return str(now.user[:w.N])
}

func hostName() string {
	_, errno := sys(unix.SYS_UNAME, uintptr(unsafe.Pointer(&now.uts)), 0, 0, 0, 0)
	if errno != 0 {
		return ""
	}
	node := (*[len(now.uts.Nodename)]byte)(unsafe.Pointer(&now.uts.Nodename))
	return str(node[:max(index(node[:], 0), 0)])
}

// remember writes the end of this run into the history, and the end into the lock file. It reports
// whether the latter could be done.
func (r *request) remember(code, signal int) bool {
	e := r.entry(now.rec.UID)
	e.Run, e.Started, e.PID, e.Command = now.rec.Run, now.rec.Started, now.rec.Holder.PID, now.args[:r.words]
	e.Ended = time.Unix(0, clock(unix.CLOCK_REALTIME))
	e.Lasted = max(0, time.Duration(clock(unix.CLOCK_BOOTTIME))-now.rec.Uptime)
	e.Outcome, e.Signal = history.OK, signal
	if signal == 0 {
		e.ExitCode = code
	}
	if signal != 0 {
		e.Outcome = history.Signaled
	} else if code != 0 {
		e.Outcome = history.Failed
	}
	if e.Outcome != history.OK && replacing() {
		e.Outcome = history.Replaced
	}
	encode(&e)
	if !r.appendHistory() {
		r.warnHistory()
	}
	now.remembered = true
	if e.Outcome != history.OK {
		return sayFree()
	}
	now.head.Lasted.Add(e.Lasted)
	now.head.EncodePlain((*[record.HeaderSize]byte)(now.page[:]))
	copy(now.page[record.StateAt:], freeWord)
	return pwrite(now.fd, now.page[:record.Ending], 0)
}

// replacing reports whether somebody waits for the end of this run to take its place.
func replacing() bool {
	return ofd(now.fd, unix.F_OFD_GETLK, unix.F_RDLCK, record.ReplaceMarks, record.ReplaceMarksEnd-record.ReplaceMarks) &&
		now.lk.Type != unix.F_UNLCK
}

// closeEarlier encodes the record of the run before this one, which left without a word, from what is
// in now.page.
func (r *request) closeEarlier(old *record.Record, texts record.Texts) bool {
	e := r.entry(old.UID)
	e.Run, e.Started, e.PID = old.Run, old.Started, old.Holder.PID
	if known(old) {
		return true
	}
	words := 0
	for {
		key, value := texts.Next()
		if string(key) == "end" {
			break
		}
		if string(key) != "arg" {
			e.Cut = e.Cut || string(key) == "cut" || string(key) == "more"
			continue
		}
		if words == len(now.words) {
			return false
		}
		now.words[words] = unescape(value)
		words++
	}
	e.Command = now.words[:words]
	modified := now.seen.Mtim.Sec*1e9 + now.seen.Mtim.Nsec
	e.Unseen(old.Child.PID != 0, time.Unix(0, modified), now.rec.Started)
	encode(&e)
	return true
}

// known reports whether somebody has noticed the end of the run before, and written it down: into what is
// last in the file. A record that is there twice is read once.
func known(old *record.Record) bool {
	size := now.st.Size
	n, ok := pread(now.pastFD, now.file[:], max(size-int64(len(now.file)), 0))
	if !ok {
		return false
	}
	var b [96]byte
	w := fixed.Writer{B: b[:]}
	w.Byte('"')
	history.WhichRun(&w, old.Run, old.Started)
	want := b[:w.N]
	for i := 0; i+len(want) <= n; i++ {
		if now.file[i] == '"' && string(now.file[i:i+len(want)]) == string(want) {
			return true
		}
	}
	return false
}

// unescape takes the escapes of a sound record out of b, in place.
func unescape(b []byte) string {
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+3 < len(b) {
			c = hex(b[i+2])<<4 | hex(b[i+3])
			i += 3
		}
		b[n] = c
		n++
	}
	return str(b[:n])
}

func hex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// rememberSkip writes into the history that this start was not admitted.
func (r *request) rememberSkip(holder *record.Record) bool {
	e := r.entry(r.euid)
	e.Started = time.Unix(0, clock(unix.CLOCK_REALTIME))
	e.Ended, e.Outcome, e.Command = e.Started, history.Skipped, now.args[:r.words]
	e.PID, _ = sys(unix.SYS_GETPID, 0, 0, 0, 0, 0)
	e.HolderRun, e.HolderPID, e.HolderStarted = holder.Run, holder.Holder.PID, holder.Started
	encode(&e)
	return r.appendHistory()
}
