//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"

	"github.com/sole-run/sole/internal/proc"
)

// onlyAside reports whether this process has no children but those that are none of the command's.
func (r *run) onlyAside() bool {
	if r.spec.Aside == nil {
		return false
	}
	left, err := proc.Descendants(os.Getpid(), r.spec.Aside)
	return err == nil && len(left) == 0
}
