package record

import "hash/crc32"

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
