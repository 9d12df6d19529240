package record

import (
	"hash/crc32"
	"slices"

	"github.com/sole-run/sole/internal/fixed"
)

// The first line of a record. The state is not covered by the checksum, so that it
// can be rewritten alone.
const (
	firstLine  = FirstWords + "held crc32=00000000\n"
	stateAt    = len("sole-record 1 ")
	checksumAt = len("sole-record 1 held crc32=")
	bodyAt     = len(firstLine)

	heldWord = "held"
	freeWord = "free"
)

// StateAt is where in the lock file the state of the record is.
const StateAt = HeaderSize + int64(len("sole-record 1 "))

// StateBytes is what to write at [StateAt].
func StateBytes(s State) []byte {
	if s == Held {
		return []byte(heldWord)
	}
	return []byte(freeWord)
}

// EncodeHeader returns the header's bytes.
func EncodeHeader(h Header) []byte {
	b := make([]byte, HeaderSize)
	h.EncodePlain((*[HeaderSize]byte)(b))
	return b
}

// EncodePlain is EncodeHeader for code that has no Go runtime yet.
func (h *Header) EncodePlain(b *[HeaderSize]byte) {
	p := pen{fixed.Writer{B: b[:]}}
	p.Text(headerLine)
	p.field("limit", h.Limit)
	if h.Shared != 0 {
		p.field("shared", h.Shared)
		p.boot(&h.Boot)
	}
	if h.Lasted.N > 0 {
		p.Text("lasted")
		for _, ms := range h.Lasted.MS[:h.Lasted.N] {
			p.Byte(' ')
			p.Number(ms)
		}
		p.Byte('\n')
	}
	p.pad()
}

// FirstWords are what a record begins with, before its state.
const FirstWords = "sole-record 1 "

// Ending is how much of a lock file is to be written, from its beginning, to write a header and
// the state of the record behind it at once.
const Ending = int(StateAt) + len(freeWord)

// Encode appends the record's [Size] bytes to b. A command that is too long is cut.
func (r *Record) Encode(b []byte, s State) []byte {
	from := len(b)
	b = slices.Grow(b, Size)[:from+Size]
	page := (*[Size]byte)(b[from:])
	r.fill(page, s)
	seal(page, crc32.ChecksumIEEE(page[bodyAt:]))
	return b
}

// EncodePlain is Encode for code that has no Go runtime yet (internal/early): it
// takes no memory, and computes the checksum without hash/crc32.
func (r *Record) EncodePlain(page *[Size]byte, s State) {
	r.fill(page, s)
	seal(page, checksum(page[bodyAt:]))
}

// fill writes all of the record but its checksum.
func (r *Record) fill(page *[Size]byte, s State) {
	p := pen{fixed.Writer{B: page[:]}}
	p.Text(firstLine)
	if s == Free {
		copy(page[stateAt:], freeWord)
	}
	p.field("run", r.Run)
	p.boot(&r.Place.Boot)
	p.field("pidns", r.Place.PIDs)
	p.id("pid", r.Holder)
	p.id("child", r.Child)
	p.field("uid", uint64(r.UID))
	p.field("started", uint64(r.Started.UnixNano()))
	p.field("uptime", uint64(r.Uptime))
	p.field("skips-from", uint64(r.SkipsFrom))
	if r.Replaced != 0 {
		p.field("replaced", r.Replaced)
	}
	p.line("method", r.Method)
	if r.Unmarked {
		p.Text("unmarked\n")
	}
	p.line("cwd", cutTo(r.Cwd, maxCwd))
	r.words(&p, Size-len(endLine)-len("more 18446744073709551615\n"))
	p.Text(endLine)
	p.pad()
}

// seal writes the checksum of the body into the first line.
func seal(page *[Size]byte, sum uint32) {
	for i := range 8 {
		page[checksumAt+i] = digits[sum>>(28-4*i)&0xf]
	}
}

// maxCwd keeps a long directory from leaving no room for the command: it may grow
// fourfold by escapes.
const maxCwd = 200

const endLine = "end\n"

// words writes the command as far as it fits before limit.
func (r *Record) words(p *pen, limit int) {
	for i, w := range r.Command {
		before := p.N
		if before+len("arg \n")+len(w) <= limit { // else it need not be tried
			p.line("arg", w)
			if p.N <= limit {
				continue
			}
			p.N = before
		}
		left := len(r.Command) - i
		if room := limit - before - len("cut \n"); room >= 16 {
			p.line("cut", cutTo(w, room/4))
			left--
		}
		if left += r.Omitted; left > 0 {
			p.field("more", uint64(left))
		}
		return
	}
}

func cutTo(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
