package record

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/sole-run/sole/internal/proc"
)

// The first line of a record. The state is not covered by the checksum, so that it
// can be rewritten alone.
const (
	firstLine  = "sole-record 1 held crc32=00000000\n"
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
	b := make([]byte, 0, HeaderSize)
	b = append(b, headerLine...)
	b = field(b, "limit", h.Limit)
	if h.Shared != 0 {
		b = field(b, "shared", h.Shared)
		b = append(append(append(b, "boot "...), h.Boot[:]...), '\n')
	}
	return pad(b, HeaderSize)
}

// Encode appends the record's [Size] bytes to b. A command that is too long is cut.
func (r *Record) Encode(b []byte, s State) []byte {
	from := len(b)
	b = append(b, firstLine...)
	copy(b[from+stateAt:], StateBytes(s))
	b = field(b, "run", r.Run)
	b = append(append(append(b, "boot "...), r.Place.Boot[:]...), '\n')
	b = field(b, "pidns", r.Place.PIDs)
	b = id(b, "pid", r.Holder)
	b = id(b, "child", r.Child)
	b = field(b, "uid", uint64(r.UID))
	b = field(b, "started", uint64(r.Started.UnixNano()))
	b = field(b, "uptime", uint64(r.Uptime))
	b = field(b, "skips-from", uint64(r.SkipsFrom))
	if r.Replaced != 0 {
		b = field(b, "replaced", r.Replaced)
	}
	b = line(b, "method", r.Method)
	if r.Unmarked {
		b = append(b, "unmarked\n"...)
	}
	b = line(b, "cwd", cutTo(r.Cwd, maxCwd))
	b = r.words(b, from+Size-len(endLine)-len("more 18446744073709551615\n"))
	b = append(b, endLine...)
	b = pad(b, from+Size)
	sum := crc32.ChecksumIEEE(b[from+bodyAt:])
	const digits = "0123456789abcdef"
	for i := range 8 {
		b[from+checksumAt+i] = digits[sum>>(28-4*i)&0xf]
	}
	return b
}

// maxCwd keeps a long directory from leaving no room for the command: it may grow
// fourfold by escapes.
const maxCwd = 200

const endLine = "end\n"

// words writes the command as far as it fits before limit.
func (r *Record) words(b []byte, limit int) []byte {
	for i, w := range r.Command {
		before := len(b)
		b = line(b, "arg", w)
		if len(b) <= limit {
			continue
		}
		b = b[:before]
		left := len(r.Command) - i
		if room := limit - before - len("cut \n"); room >= 16 {
			b = line(b, "cut", cutTo(w, room/4))
			left--
		}
		if left += r.Omitted; left > 0 {
			b = field(b, "more", uint64(left))
		}
		return b
	}
	return b
}

func cutTo(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func field(b []byte, key string, v uint64) []byte {
	b = append(append(b, key...), ' ')
	return append(strconv.AppendUint(b, v, 10), '\n')
}

func line(b []byte, key, v string) []byte {
	b = append(append(b, key...), ' ')
	return append(escape(b, v), '\n')
}

func id(b []byte, key string, p proc.ID) []byte {
	b = append(append(b, key...), ' ')
	b = strconv.AppendInt(b, int64(p.PID), 10)
	switch {
	case p.Inode != 0:
		b = strconv.AppendUint(append(b, " pidfd:"...), p.Inode, 10)
	case p.Start != 0:
		b = strconv.AppendUint(append(b, " start:"...), p.Start, 10)
	}
	return append(b, '\n')
}

// escape keeps a value on its line: control characters and the backslash become \xHH.
func escape(b []byte, v string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == 0x7f || c == '\\' {
			b = append(b, '\\', 'x', digits[c>>4], digits[c&0xf])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// pad fills b with blanks and a final newline to length n.
func pad(b []byte, n int) []byte {
	return append(append(b, blanks[:n-1-len(b)]...), '\n')
}

var blanks = strings.Repeat(" ", Size)
