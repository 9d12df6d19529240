//go:build linux && (amd64 || arm64)

package early

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/fixed"
	"github.com/sole-run/sole/internal/record"
	"github.com/sole-run/sole/internal/usual"
)

// skip counts this start and says who holds the name, if the holder's record leaves
// no doubt: a process that lives and is in sight. It does not return then.
func (r *request) skip() {
	w := fixed.Writer{B: now.line[:len(now.line)-len(", 18446744073709551615th in a row\n")]}
	holder := &now.rec
	if !r.sayHolder(&w, holder) || !w.Fits() || !r.openHistory() {
		closeFD(now.fd)
		return
	}
	w.B = now.line[:]
	if n := countSkip(holder); n > 1 {
		w.Text(", ")
		w.Ordinal(uint64(n))
		w.Text(" in a row")
	}
	w.Byte('\n')
	remembered := r.rememberSkip(holder)
	if !r.quiet {
		complain(now.line[:w.N])
		if !remembered {
			r.warnHistory()
		}
	}
	exit(r.busyExit)
}

// countSkip counts this start in the lock file, and returns how many skips of the run there are.
func countSkip(holder *record.Record) int64 {
	const byteOfSkip = "s"
	if _, ok := fcntl(now.fd, unix.F_SETFL, unix.O_APPEND|unix.O_NONBLOCK); !ok {
		return 0
	}
	n, errno := sys(unix.SYS_WRITE, uintptr(now.fd), uintptr(unsafe.Pointer(cstring(byteOfSkip))), 1, 0, 0)
	if errno != 0 || n != 1 {
		return 0
	}
	at, errno := sys(unix.SYS_LSEEK, uintptr(now.fd), 0, unix.SEEK_CUR, 0, 0)
	if errno != 0 {
		return 0
	}
	return int64(at) - holder.SkipsFrom
}

// complain writes b to standard error, all of it if that can be.
func complain(b []byte) {
	for {
		n, errno := sys(unix.SYS_WRITE, 2, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0)
		if errno == 0 && n < len(b) {
			b = b[n:]
			continue
		}
		if errno != unix.EAGAIN || !awaitWritable() {
			return
		}
	}
}

// awaitWritable waits until standard error, which somebody made non-blocking, takes more.
func awaitWritable() bool {
	now.poll.fd, now.poll.events = 2, unix.POLLOUT
	n, errno := sys(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&now.poll)), 1, 0, 0, 0)
	return errno == 0 && n == 1
}

// sayHolder writes the line that cmd/sole writes of a BusyError.
func (r *request) sayHolder(w *fixed.Writer, rec *record.Record) bool {
	texts, ok := readHeld(rec)
	if !ok {
		return false
	}
	place, ok := here()
	if !ok || place != rec.Place || !alive(rec.Holder) {
		return false
	}
	w.Text("sole: ")
	w.Text(r.name)
	w.Text(" is already running: pid ")
	w.Number(uint64(rec.Holder.PID))
	if !command(w, &texts) || !user(w, rec.UID) {
		return false
	}
	var z zone
	if !r.zone(&z) {
		return false
	}
	w.Text(", since ")
	started, present := rec.Started.Unix(), clock(unix.CLOCK_REALTIME)/1e9
	if !z.clockTime(w, started, present) {
		return false
	}
	seconds := (clock(unix.CLOCK_BOOTTIME) - int64(rec.Uptime)) / 1e9
	if seconds < 0 {
		return false
	}
	w.Text(" (")
	lasting(w, uint64(seconds))
	if usually := now.head.Lasted.P50(); usually > 0 {
		w.Text("; usually ")
		usual.Write(w, usually)
	}
	w.Text("); skipped")
	return true
}

// readHeld reads the record so that it and the mark belong together, and reports
// whether they say that the name is held.
func readHeld(rec *record.Record) (texts record.Texts, ok bool) {
	n, ok := pread(now.fd, now.page[:], 0)
	if !ok || n != len(now.page) {
		return texts, false
	}
	if !ofd(now.fd, unix.F_OFD_GETLK, unix.F_WRLCK, record.HolderMark, 1) || now.lk.Type == unix.F_UNLCK {
		return texts, false
	}
	n, ok = pread(now.fd, now.copy[:], 0)
	if !ok || n != len(now.copy) || now.page != now.copy {
		return texts, false
	}
	var fault record.Fault
	var state record.State
	if now.head, fault = record.ScanHeader(now.page[:]); fault != record.Sound {
		return texts, false
	}
	*rec, state, texts, fault = record.Scan(now.page[record.HeaderSize:])
	return texts, fault == record.Sound && state == record.Held
}

// command writes the holder's command, if it is whole and of printable ASCII.
func command(w *fixed.Writer, texts *record.Texts) bool {
	const most = 60 // as the call of words in cmd/sole
	key, value := texts.Next()
	if string(key) != "method" || string(value) != "flock" {
		return false
	}
	if key, value = texts.Next(); string(key) != "cwd" || index(value, '\\') >= 0 {
		return false
	}
	var b [most]byte
	q := fixed.Writer{B: b[:]}
	count := 0
	for {
		key, value = texts.Next()
		if string(key) != "arg" {
			break
		}
		if count++; count > 1 {
			q.Byte(' ')
		}
		if !quote(&q, value) {
			return false
		}
	}
	if string(key) != "end" || !texts.Over() {
		return false
	}
	if count == 0 {
		return true
	}
	w.Text(" (")
	if q.Fits() {
		w.Text(str(b[:q.N]))
	} else {
		w.Text(str(b[:most-1]))
		w.Text("…")
	}
	w.Byte(')')
	return true
}

// quote writes a word as a shell would take it.
func quote(w *fixed.Writer, word []byte) bool {
	plain := len(word) > 0
	for _, c := range word {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
		plain = plain && bare(c)
	}
	if plain {
		w.Text(str(word))
		return true
	}
	w.Byte('\'')
	for _, c := range word {
		if c == '\'' {
			w.Text(`'\''`)
		} else {
			w.Byte(c)
		}
	}
	w.Byte('\'')
	return true
}

func bare(c byte) bool {
	switch c {
	case '-', '_', '.', '/', ':', '=', ',', '@', '%', '+':
		return true
	}
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// user writes the holder's name.
func user(w *fixed.Writer, uid uint32) bool {
	w.Text(", user ")
	if uid == 0 {
		w.Text("root")
		return true
	}
	name, _, ok := passwd(uid)
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	w.Text(name)
	return ok
}
