package record

import (
	"math"

	"github.com/sole-run/sole/internal/proc"
)

// LastRun leaves room to count on, and fits a signed integer everywhere.
const LastRun = math.MaxInt64 / 2

// Next is the number of the run that follows the whole record r and header h in a
// start of the host called boot. Behind a restart the record may be an older one than the last.
func (r *Record) Next(h Header, boot *proc.BootID) uint64 {
	shared := h.Shared != 0 && h.Boot == *boot
	switch {
	case shared && r.Place.Boot == *boot:
		return max(r.Run, h.Shared) + 1
	case shared:
		return h.Shared + 1
	case r.Place.Boot == *boot:
		return r.Run + 1
	}
	return max(r.Run, h.Limit) + 1
}
