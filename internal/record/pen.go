package record

import "github.com/sole-run/sole/internal/proc"

// pen writes into b from n on. What does not fit is counted and dropped, so that the
// caller can look at n and go back. It takes no memory and needs no Go runtime.
type pen struct {
	b []byte
	n int
}

const digits = "0123456789abcdef"

func (p *pen) byte(c byte) {
	if p.n < len(p.b) {
		p.b[p.n] = c
	}
	p.n++
}

func (p *pen) text(s string) {
	if p.n < len(p.b) {
		copy(p.b[p.n:], s)
	}
	p.n += len(s)
}

func (p *pen) number(v uint64) {
	var b [20]byte
	at := len(b)
	for {
		at--
		b[at] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	p.bytes(b[at:])
}

func (p *pen) bytes(b []byte) {
	if p.n < len(p.b) {
		copy(p.b[p.n:], b)
	}
	p.n += len(b)
}

func (p *pen) key(key string) {
	p.text(key)
	p.byte(' ')
}

func (p *pen) field(key string, v uint64) {
	p.key(key)
	p.number(v)
	p.byte('\n')
}

func (p *pen) line(key, v string) {
	p.key(key)
	p.escape(v)
	p.byte('\n')
}

func (p *pen) id(key string, id proc.ID) {
	p.key(key)
	p.number(uint64(id.PID))
	switch {
	case id.Inode != 0:
		p.text(" pidfd:")
		p.number(id.Inode)
	case id.Start != 0:
		p.text(" start:")
		p.number(id.Start)
	}
	p.byte('\n')
}

func (p *pen) boot(id *proc.BootID) {
	p.key("boot")
	p.bytes(id[:])
	p.byte('\n')
}

// escape keeps a value on its line: control characters and the backslash become \xHH.
func (p *pen) escape(v string) {
	from := 0 // where what is to be written as it is begins
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == 0x7f || c == '\\' {
			p.text(v[from:i])
			from = i + 1
			p.text(`\x`)
			p.byte(digits[c>>4])
			p.byte(digits[c&0xf])
		}
	}
	p.text(v[from:])
}

// pad fills the rest with blanks and a final newline.
func (p *pen) pad() {
	last := len(p.b) - 1
	for p.n < last {
		p.n += copy(p.b[p.n:last], blanks)
	}
	p.byte('\n')
}

// blanks is a constant because a variable that is made at the start is not there yet
// for code that has no Go runtime.
const (
	blanks8  = "        "
	blanks64 = blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8
	blanks   = blanks64 + blanks64 + blanks64 + blanks64
)
