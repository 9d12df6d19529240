package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/record"
)

// fewDescriptors is less than a start may need beside those that it inherits.
const fewDescriptors = 64

// checkLimits looks at the limits that a start would run into.
func checkLimits(Place) Result {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return fail(System, "", "getrlimit(2) is refused: %v", err)
	}
	return judgeLimits(files.Max, fileSizeLimit()).
		with("descriptors", limitText(files.Max)).with("file_size", limitText(fileSizeLimit()))
}

// judgeLimits takes the hard limit of descriptors: the Go runtime raises the other one.
func judgeLimits(descriptors, size uint64) Result {
	switch {
	case size < record.End:
		return fail(Lock, "raise it: ulimit -f unlimited", "files are limited to %d bytes, and a record needs %d", size, record.End)
	case size < uint64(record.SeatAt(record.Seats)):
		return warn("raise it: ulimit -f unlimited", "files are limited to %d KiB, too little for many that share a name", size>>10)
	case descriptors < fewDescriptors:
		return warn("raise it: ulimit -n 1024", "a process may have only %d descriptors open", descriptors)
	}
	return ok("there is room for a record, and for %s descriptors", limitText(descriptors))
}

func limitText(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
