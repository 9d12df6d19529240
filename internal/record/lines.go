package record

import (
	"strings"
	"time"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/usual"
)

// lines takes a record's lines apart. After the first fault bad is set, and what
// follows is zero.
type lines struct {
	rest []byte
	bad  bool
}

// numbers reads the lines of fixed form. It needs no Go runtime.
func (l *lines) numbers() Record {
	var r Record
	r.Run = l.number("run")
	r.Place.Boot = l.boot()
	r.Place.PIDs = l.number("pidns")
	r.Holder = l.id("pid")
	r.Child = l.id("child")
	uid := l.number("uid")
	r.UID = uint32(uid)
	r.Started = time.Unix(0, int64(l.number("started")))
	r.Uptime = time.Duration(l.number("uptime"))
	r.SkipsFrom = int64(l.number("skips-from"))
	if l.next("replaced") {
		r.Replaced = l.number("replaced")
	}
	if r.SkipsFrom < 0 || r.Uptime < 0 || uid > 1<<32-1 {
		l.bad = true
	}
	return r
}

func (l *lines) texts(r *Record) {
	r.Method = l.text("method")
	if l.next("unmarked") {
		r.Unmarked = true
		l.value("unmarked")
	}
	r.Cwd = l.text("cwd")
	for l.next("arg") {
		r.Command = append(r.Command, l.text("arg"))
	}
	if l.next("cut") {
		r.Command = append(r.Command, l.text("cut"))
		r.Cut = true
	}
	if l.next("more") {
		more := l.number("more")
		r.Omitted = int(more)
		l.bad = l.bad || more > 1<<31
	}
	l.value("end")
	if !padding(l.rest) {
		l.bad = true
	}
}

// padding reports whether b is what [pen.pad] adds.
func padding(b []byte) bool {
	n := len(b) - 1
	if n < 0 || b[n] != '\n' {
		return false
	}
	for b = b[:n]; len(b) > len(blanks); b = b[len(blanks):] {
		if string(b[:len(blanks)]) != blanks {
			return false
		}
	}
	return string(b) == blanks[:len(b)]
}

// next reports whether the next line has the key. After a fault none has: no line is taken
// then, and who waits for another one would wait for ever.
func (l *lines) next(key string) bool {
	return !l.bad && len(l.rest) > len(key) && string(l.rest[:len(key)]) == key &&
		(l.rest[len(key)] == ' ' || l.rest[len(key)] == '\n')
}

// value takes the next line, which must have the key.
func (l *lines) value(key string) []byte {
	end := index(l.rest, '\n')
	if l.bad || end < 0 || !l.next(key) {
		l.bad = true
		return nil
	}
	v := l.rest[min(len(key)+1, end):end]
	l.rest = l.rest[end+1:]
	return v
}

// index is bytes.IndexByte, without the look at what the processor can do.
func index(b []byte, c byte) int {
	for i, at := range b {
		if at == c {
			return i
		}
	}
	return -1
}

func (l *lines) boot() (id proc.BootID) {
	v := l.value("boot")
	if len(v) != len(id) {
		l.bad = true
		return id
	}
	return proc.BootID(v)
}

func (l *lines) number(key string) uint64 { return l.parse(l.value(key)) }

func (l *lines) parse(v []byte) uint64 {
	var n uint64
	if len(v) == 0 || len(v) > 19 { // 19 digits fit
		l.bad = true
		return 0
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			l.bad = true
			return 0
		}
		n = 10*n + uint64(c-'0')
	}
	if n > 1<<63-1 {
		l.bad = true
		return 0
	}
	return n
}

// sample reads the line of how long runs took.
func (l *lines) sample(s *usual.Sample) {
	for v := l.value("lasted"); ; {
		end := index(v, ' ')
		word := v
		if end >= 0 {
			word = v[:end]
		}
		ms := l.parse(word)
		if l.bad = l.bad || s.N == usual.Size || ms > uint64(usual.Longest)/1e6; l.bad {
			return
		}
		s.MS[s.N] = ms
		s.N++
		if end < 0 {
			return
		}
		v = v[end+1:]
	}
}

func (l *lines) id(key string) proc.ID {
	v := l.value(key)
	blank := index(v, ' ')
	if blank < 0 {
		return proc.ID{PID: int(l.parse(v))}
	}
	p := proc.ID{PID: int(l.parse(v[:blank]))}
	const pidfd, start = "pidfd:", "start:"
	switch v = v[blank+1:]; {
	case begins(v, pidfd):
		p.Inode = l.parse(v[len(pidfd):])
	case begins(v, start):
		p.Start = l.parse(v[len(start):])
	default:
		l.bad = true
	}
	return p
}

func (l *lines) text(key string) string {
	v := string(l.value(key))
	if strings.IndexByte(v, '\\') < 0 {
		return v
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' {
			b = append(b, v[i])
			continue
		}
		if i+3 >= len(v) || v[i+1] != 'x' {
			l.bad = true
			return ""
		}
		high, ok := digit(v[i+2])
		low, ok2 := digit(v[i+3])
		if !ok || !ok2 {
			l.bad = true
			return ""
		}
		b = append(b, high<<4|low)
		i += 3
	}
	return string(b)
}
