package doctor

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
)

// procMagic is the f_type of /proc (PROC_SUPER_MAGIC).
const procMagic = unix.PROC_SUPER_MAGIC

// checkProc says whether other processes can be seen.
func checkProc(Place) Result {
	var st unix.Statfs_t
	if err := unix.Statfs("/proc", &st); err != nil || int64(st.Type) != procMagic {
		return fail(System, "mount /proc", "/proc is not mounted: a start is refused")
	}
	if _, err := os.ReadFile("/proc/locks"); err != nil {
		return warn("", "/proc/locks cannot be read, so holders without a record cannot be named: %v", err)
	}
	hide := hidden()
	if _, err := proc.ReadStat(1); err != nil {
		return warn("ask root to mount /proc without hidepid, or with gid= and your group",
			"processes of other users are hidden (hidepid=%s): who of them holds a name cannot be seen", orUnknown(hide)).with("hidepid", hide)
	}
	return ok("other processes can be seen").with("hidepid", hide)
}

// hidden is the value of hidepid of /proc, "" without one.
func hidden() string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	value := ""
	for line := range strings.Lines(string(text)) {
		if m, ok := parseMount(line); ok && m.point == "/proc" {
			value, _ = m.option("hidepid")
		}
	}
	return value
}

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}
