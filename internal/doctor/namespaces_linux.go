package doctor

import (
	"os"
	"strings"
)

// initialPIDs is the pid namespace that a host starts with (PROC_PID_INIT_INO in
// include/linux/proc_ns.h).
const initialPIDs = "pid:[4026531836]"

// around is what this process is in.
type around struct {
	pids, pids1     string // links of /proc/self/ns and /proc/1/ns; "" if not readable
	mounts, mounts1 string
	uidMap          string
	self            string // where /proc/self leads
	pid             int
	mark            string // a file that a container's runtime leaves, "" if there is none
}

// checkNamespaces says whether this is a container, and what that means for pids.
func checkNamespaces(Place) Result {
	var a around
	a.pids, _ = os.Readlink("/proc/self/ns/pid")
	a.pids1, _ = os.Readlink("/proc/1/ns/pid")
	a.mounts, _ = os.Readlink("/proc/self/ns/mnt")
	a.mounts1, _ = os.Readlink("/proc/1/ns/mnt")
	uids, _ := os.ReadFile("/proc/self/uid_map")
	a.uidMap = strings.Join(strings.Fields(string(uids)), " ")
	a.self, _ = os.Readlink("/proc/self")
	a.pid = os.Getpid()
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv", "/run/systemd/container"} {
		if _, err := os.Lstat(mark); err == nil {
			a.mark = mark
			break
		}
	}
	return judgeAround(a).with("pid_namespace", a.pids).with("mount_namespace", a.mounts).
		with("pid1_pid_namespace", a.pids1).with("pid1_mount_namespace", a.mounts1).
		with("uid_map", a.uidMap).with("container_mark", a.mark)
}

// wholeUIDMap is that of the user namespace that a host starts with.
const wholeUIDMap = "0 0 4294967295"

func judgeAround(a around) Result {
	switch {
	case a.pids == "":
		return warn("mount /proc", "/proc/self/ns cannot be read, so it cannot be told whether this is a container")
	case a.self != itoa(a.pid) || a.pids1 != "" && a.pids1 != a.pids:
		return fail(System, "mount /proc anew in this pid namespace (unshare --mount-proc)",
			"/proc belongs to another pid namespace: what it says of a pid is said of another process")
	case a.pids != initialPIDs || a.mark != "":
		return warn("to share names with the host or other containers, mount one directory into all of them",
			"in a container: it excludes only those who see this very directory, and its pids mean nothing outside")
	case a.uidMap != wholeUIDMap && a.uidMap != "":
		return warn("run sole as the host's user",
			"in a user namespace (uids %s): owners outside of it look like somebody else", a.uidMap)
	case a.mounts1 != "" && a.mounts1 != a.mounts:
		return warn("see whether both mean the same directory: compare it with /proc/1/root",
			"this shell sees other mounts than pid 1, and so perhaps than cron")
	}
	return ok("the host's own, so pids mean the same for all")
}
