package main

import (
	"fmt"
	"time"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/usual"
)

// overrunAfter is how long the command may run until it is said that it runs longer than usual, 0 for
// ever. Without --overrun it needs somebody to notify, and enough runs to tell what is usual.
func (o *runFlags) overrunAfter(lock *sole.Lock) time.Duration {
	if o.overrun > 0 || o.notify == "" {
		return o.overrun
	}
	_, p95 := lock.Usual()
	return 2 * p95
}

// overran says that the command runs longer than it should.
func (o *runFlags) overran(tell *notifier, lock *sole.Lock, argv []string) {
	e := o.runEvent("overrun", lock, argv)
	p50, _ := lock.Usual()
	e.Message = fmt.Sprintf("%s has run for %s", lock.Name(), usual.Words(time.Duration(e.Seconds*float64(time.Second))))
	if p50 > 0 {
		e.Message += ", usually " + usual.Words(p50)
	}
	if o.overrun > 0 && !o.quiet {
		say("%s", e.Message)
	}
	tell.send(e)
}
