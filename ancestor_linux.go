package sole

import (
	"os"
	"slices"
	"strings"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/queue"
)

// checkAncestors refuses to wait for a process that waits for this one. SOLE_HELD
// alone does not decide: a daemon inherits it and outlives the run.
func (a *attempt) checkAncestors(f *lockdir.File) error {
	if !slices.Contains(strings.Fields(os.Getenv("SOLE_HELD")), a.name) {
		return nil
	}
	st, err := a.holder(f)
	if err != nil || st.State != Held || st.Elsewhere {
		return err
	}
	above := proc.Ancestors(os.Getpid())
	var mine []Status
	for _, h := range st.Holders() {
		if slices.Contains(above, h.PID) || slices.Contains(above, h.ChildPID) {
			mine = append(mine, h)
		}
	}
	// One who shares the name, or wants one of its slots, may still get in beside an ancestor.
	beside := st.Mode != Alone && (a.class == queue.Shared || a.class == queue.Slot && len(mine) < a.o.slots)
	if len(mine) == 0 || beside {
		return nil
	}
	return &AncestorError{Name: a.name, Holder: mine[0]}
}
