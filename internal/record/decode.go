package record

import (
	"hash/crc32"
	"strings"
	"time"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/usual"
)

const headerLine = "sole-lock 1\n"

// Fault says what is wrong with a header or record, for code that has no Go runtime
// yet: errors are made at the start of a program.
type Fault uint8

// What can be wrong with a header or record; see [ErrEmpty] and the others.
const (
	Sound Fault = iota
	Empty
	Damaged
	Newer
)

func (f Fault) err() error {
	switch f {
	case Sound:
		return nil
	case Empty:
		return ErrEmpty
	case Newer:
		return ErrNewer
	}
	return ErrDamaged
}

// DecodeHeader reads the header at the beginning of b.
func DecodeHeader(b []byte) (Header, error) {
	h, f := ScanHeader(b)
	return h, f.err()
}

// ScanHeader is DecodeHeader without the Go runtime.
func ScanHeader(b []byte) (Header, Fault) {
	if blank(b[:min(len(b), HeaderSize)]) {
		return Header{}, Empty
	}
	if len(b) < HeaderSize {
		return Header{}, Damaged
	}
	if f := kind(b, "sole-lock ", headerLine); f != Sound {
		return Header{}, f
	}
	l := lines{rest: b[len(headerLine):HeaderSize]}
	h := Header{Limit: l.number("limit")}
	if !l.bad && l.next("shared") {
		h.Shared, h.Boot = l.number("shared"), l.boot()
	}
	if l.next("lasted") {
		l.sample(&h.Lasted)
	}
	if l.bad || !padding(l.rest) {
		return Header{}, Damaged
	}
	return h, Sound
}

// Decode reads the record at the beginning of b.
func Decode(b []byte) (Record, State, error) { return decode(b, true) }

// DecodeNumbers is Decode without Method, Cwd and Command, which takes no memory.
func DecodeNumbers(b []byte) (Record, State, error) { return decode(b, false) }

func decode(b []byte, texts bool) (Record, State, error) {
	s, sum, f := first(b)
	if f == Sound && sum != crc32.ChecksumIEEE(b[bodyAt:Size]) {
		f = Damaged
	}
	if f != Sound {
		return Record{}, Free, f.err()
	}
	l := lines{rest: b[bodyAt:Size]}
	r := l.numbers()
	if texts {
		l.texts(&r)
	}
	if l.bad {
		return Record{}, Free, ErrDamaged
	}
	return r, s, nil
}

// Scan is DecodeNumbers without the Go runtime. The lines behind the numbers are left
// to be walked through.
func Scan(b []byte) (Record, State, Texts, Fault) {
	s, sum, f := first(b)
	if f == Sound && sum != checksum(b[bodyAt:Size]) {
		f = Damaged
	}
	if f != Sound {
		return Record{}, Free, Texts{}, f
	}
	l := lines{rest: b[bodyAt:Size]}
	r := l.numbers()
	if l.bad {
		return Record{}, Free, Texts{}, Damaged
	}
	return r, s, Texts{l.rest}, Sound
}

// Texts are lines of a record.
type Texts struct{ rest []byte }

// Next takes the next line apart. The value is as it is in the file, with escapes.
// The last line's key is "end".
func (t *Texts) Next() (key, value []byte) {
	end, blank := 0, -1
	for ; end < len(t.rest) && t.rest[end] != '\n'; end++ {
		if blank < 0 && t.rest[end] == ' ' {
			blank = end
		}
	}
	line := t.rest[:end]
	t.rest = t.rest[min(end+1, len(t.rest)):]
	if blank < 0 {
		return line, nil
	}
	return line[:blank], line[blank+1:]
}

// Over reports whether nothing is left but padding.
func (t *Texts) Over() bool { return padding(t.rest) }

// first reads the first line: the state and the checksum that the body should have.
func first(b []byte) (s State, sum uint32, f Fault) {
	if blank(b[:min(len(b), Size)]) {
		return Free, 0, Empty
	}
	if len(b) < Size {
		return Free, 0, Damaged
	}
	if f := kind(b, "sole-record ", firstLine[:stateAt]); f != Sound {
		return Free, 0, f
	}
	switch string(b[stateAt : stateAt+len(heldWord)]) {
	case heldWord:
		s = Held
	case freeWord:
	default:
		return Free, 0, Damaged
	}
	for _, c := range b[checksumAt : bodyAt-1] {
		d, ok := digit(c)
		if !ok {
			return Free, 0, Damaged
		}
		sum = sum<<4 | uint32(d)
	}
	if b[bodyAt-1] != '\n' {
		return Free, 0, Damaged
	}
	return s, sum, Sound
}

// digit is the value of a hexadecimal digit.
func digit(c byte) (v byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// kind judges what b begins with: it should be want. What has the right word and
// another version was written by a later sole.
func kind(b []byte, word, want string) Fault {
	if begins(b, want) {
		return Sound
	}
	if begins(b, word) && len(b) > len(word) && b[len(word)] >= '1' && b[len(word)] <= '9' {
		v := b[len(word):]
		n := 0
		for n < len(v) && v[n] >= '0' && v[n] <= '9' {
			n++
		}
		if string(v[:n]) != "1" && n < len(v) && (v[n] == '\n' || v[n] == ' ') {
			return Newer
		}
	}
	return Damaged
}

func begins(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// blank reports whether nothing was ever written: a hole in a file reads as zeros.
func blank(b []byte) bool {
	for _, c := range b { // it ends at the first byte of whatever was written
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
