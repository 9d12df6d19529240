package sole

import (
	"os"
	"slices"
	"strings"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
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
	for _, pid := range proc.Ancestors(os.Getpid()) {
		if pid == st.PID || pid == st.ChildPID {
			return &AncestorError{Name: a.name, Holder: st}
		}
	}
	return nil
}
