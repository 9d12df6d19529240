package sole

import "context"

// Watch looks after the lock file until stop is called: what is deleted or replaced is
// put back, and if another holder got in, lost is called with a [*DisturbedError]. stop
// waits for the end of the goroutine that does so.
func (l *Lock) Watch(lost context.CancelCauseFunc) (stop func()) { return l.guard(lost) }
