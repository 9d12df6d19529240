package sole

import (
	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/record"
)

// takenEarly is the Lock of what was taken before the Go runtime started, nil if
// that is not this name. All has been done by then: the place was judged, the record
// written, the file marked.
func takenEarly(name string, o options) *Lock {
	held, ok := early.Take(name)
	if !ok {
		return nil
	}
	dir := lockdir.Known(held.Dir)
	l := &Lock{
		name:   name,
		keeper: o.keeper(),
		dir:    dir,
		file:   dir.NewFile(name, held.FD, held.Size, held.Dev, held.Ino),
		head:   record.Header{Limit: held.Limit},
		seat:   noSeat,
		wrote:  true,
		shared: true,
	}
	if held.Remembered {
		l.keeper = keeper{}
	}
	if v, err := readNumbers(&l.file); err == nil && v.recErr == nil {
		l.rec, l.head, l.usual = v.rec, v.head, v.head.Lasted
	}
	l.rec.Method, l.rec.Cwd, l.rec.Command = MethodFlock, o.cwd, o.command
	return l
}
