package record

import (
	"github.com/sole-run/sole/internal/fixed"
	"github.com/sole-run/sole/internal/proc"
)

// pen writes the lines of a record or header.
type pen struct{ fixed.Writer }

const digits = "0123456789abcdef"

func (p *pen) key(key string) {
	p.Text(key)
	p.Byte(' ')
}

func (p *pen) field(key string, v uint64) {
	p.key(key)
	p.Number(v)
	p.Byte('\n')
}

func (p *pen) line(key, v string) {
	p.key(key)
	p.escape(v)
	p.Byte('\n')
}

func (p *pen) id(key string, id proc.ID) {
	p.key(key)
	p.Number(uint64(id.PID))
	switch {
	case id.Inode != 0:
		p.Text(" pidfd:")
		p.Number(id.Inode)
	case id.Start != 0:
		p.Text(" start:")
		p.Number(id.Start)
	}
	p.Byte('\n')
}

func (p *pen) boot(id *proc.BootID) {
	p.key("boot")
	p.Bytes(id[:])
	p.Byte('\n')
}

// escape keeps a value on its line: control characters and the backslash become \xHH.
func (p *pen) escape(v string) {
	from := 0 // where what is to be written as it is begins
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == 0x7f || c == '\\' {
			p.Text(v[from:i])
			from = i + 1
			p.Text(`\x`)
			p.Byte(digits[c>>4])
			p.Byte(digits[c&0xf])
		}
	}
	p.Text(v[from:])
}

// pad fills the rest with blanks and a final newline.
func (p *pen) pad() {
	last := len(p.B) - 1
	for p.N < last {
		p.N += copy(p.B[p.N:last], blanks)
	}
	p.Byte('\n')
}

// blanks is a constant because a variable that is made at the start is not there yet
// for code that has no Go runtime.
const (
	blanks8  = "        "
	blanks64 = blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8 + blanks8
	blanks   = blanks64 + blanks64 + blanks64 + blanks64
)
