package record

import (
	"bytes"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/proc"
)

const headerLine = "sole-lock 1\n"

// DecodeHeader reads the header at the beginning of b.
func DecodeHeader(b []byte) (Header, error) {
	if blank(b[:min(len(b), HeaderSize)]) {
		return Header{}, ErrEmpty
	}
	if len(b) < HeaderSize {
		return Header{}, ErrDamaged
	}
	rest, err := afterFirst(b[:HeaderSize], "sole-lock ", headerLine)
	if err != nil {
		return Header{}, err
	}
	l := lines{rest: rest}
	h := Header{Limit: l.number("limit")}
	if !l.bad && l.next("shared") {
		h.Shared, h.Boot = l.number("shared"), l.boot()
	}
	if l.bad || !padding(l.rest) {
		return Header{}, ErrDamaged
	}
	return h, nil
}

// Decode reads the record at the beginning of b.
func Decode(b []byte) (Record, State, error) { return decode(b, true) }

// DecodeNumbers is Decode without Cwd and Command, which takes no memory.
func DecodeNumbers(b []byte) (Record, State, error) { return decode(b, false) }

func decode(b []byte, texts bool) (Record, State, error) {
	if blank(b[:min(len(b), Size)]) {
		return Record{}, Free, ErrEmpty
	}
	if len(b) < Size {
		return Record{}, Free, ErrDamaged
	}
	b = b[:Size]
	if _, err := afterFirst(b, "sole-record ", firstLine[:stateAt]); err != nil {
		return Record{}, Free, err
	}
	var s State
	switch string(b[stateAt : stateAt+len(heldWord)]) {
	case heldWord:
		s = Held
	case freeWord:
		s = Free
	default:
		return Record{}, Free, ErrDamaged
	}
	sum, err := strconv.ParseUint(string(b[checksumAt:bodyAt-1]), 16, 32)
	if err != nil || b[bodyAt-1] != '\n' || uint32(sum) != crc32.ChecksumIEEE(b[bodyAt:]) {
		return Record{}, Free, ErrDamaged
	}
	l := lines{rest: b[bodyAt:]}
	r := l.record(texts)
	if l.bad {
		return Record{}, Free, ErrDamaged
	}
	return r, s, nil
}

// afterFirst returns what follows first, with which b must begin. What has the
// kind right and the rest not was written by a later version.
func afterFirst(b []byte, kind, first string) ([]byte, error) {
	if bytes.HasPrefix(b, []byte(first)) {
		return b[len(first):], nil
	}
	if v, ok := bytes.CutPrefix(b, []byte(kind)); ok && len(v) > 0 && v[0] >= '1' && v[0] <= '9' {
		n := 0
		for n < len(v) && v[n] >= '0' && v[n] <= '9' {
			n++
		}
		if string(v[:n]) != "1" && n < len(v) && (v[n] == '\n' || v[n] == ' ') {
			return nil, ErrNewer
		}
	}
	return nil, ErrDamaged
}

// blank reports whether nothing was ever written: a hole in a file reads as zeros.
func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// lines takes a record's lines apart. After the first fault bad is set, and what
// follows is zero.
type lines struct {
	rest []byte
	bad  bool
}

func (l *lines) record(texts bool) Record {
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
	if !texts {
		return r
	}
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
	if !padding(l.rest) || r.SkipsFrom < 0 || r.Uptime < 0 || uid > 1<<32-1 {
		l.bad = true
	}
	return r
}

// padding reports whether b is what [pad] adds.
func padding(b []byte) bool {
	n := len(b) - 1
	return n >= 0 && n < len(blanks) && b[n] == '\n' && string(b[:n]) == blanks[:n]
}

// next reports whether the next line has the key.
func (l *lines) next(key string) bool {
	return len(l.rest) > len(key) && string(l.rest[:len(key)]) == key &&
		(l.rest[len(key)] == ' ' || l.rest[len(key)] == '\n')
}

// value takes the next line, which must have the key.
func (l *lines) value(key string) []byte {
	end := bytes.IndexByte(l.rest, '\n')
	if l.bad || end < 0 || !l.next(key) {
		l.bad = true
		return nil
	}
	v := l.rest[min(len(key)+1, end):end]
	l.rest = l.rest[end+1:]
	return v
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

func (l *lines) id(key string) proc.ID {
	v := l.value(key)
	pid, mark, marked := bytes.Cut(v, []byte{' '})
	p := proc.ID{PID: int(l.parse(pid))}
	if !marked {
		return p
	}
	kind, n, _ := bytes.Cut(mark, []byte{':'})
	switch string(kind) {
	case "pidfd":
		p.Inode = l.parse(n)
	case "start":
		p.Start = l.parse(n)
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
		c, err := strconv.ParseUint(v[i+2:i+4], 16, 8)
		if err != nil {
			l.bad = true
			return ""
		}
		b = append(b, byte(c))
		i += 3
	}
	return string(b)
}
