package doctor

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// checkInotify takes an inotify instance, as a run does to watch its lock file.
func checkInotify(Place) Result {
	most, _ := os.ReadFile("/proc/sys/fs/inotify/max_user_instances")
	limit := strings.TrimSpace(string(most))
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return warn("raise fs.inotify.max_user_instances (sysctl)",
			"none to be had (%s; a user may have %s): a deleted lock file is noticed only after some seconds", refused(err), limit).
			with("max_user_instances", limit)
	}
	_ = unix.Close(fd)
	return ok("lock files can be watched").with("max_user_instances", limit)
}
