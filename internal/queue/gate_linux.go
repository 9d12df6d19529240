package queue

import (
	"os"

	"github.com/sole-run/sole/internal/flock"
)

// AtGate marks that this process gives out the slots: whoever waits for one waits for it. It
// ends as the ticket does, or with [LeaveGate].
func AtGate(fd int) error {
	_, err := flock.Mark(fd, gateFrom+int64(os.Getpid()), flock.Exclusive)
	return err
}

// LeaveGate removes the mark of [AtGate].
func LeaveGate(fd int) error { return flock.Unmark(fd, gateFrom+int64(os.Getpid())) }
