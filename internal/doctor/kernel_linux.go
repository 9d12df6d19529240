package doctor

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
)

// checkKernel says which of the kernel's newer services there are.
func checkKernel(Place) Result {
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	release := unix.ByteSliceToString(uts.Release[:])
	pidfd, pidfs := pidfds()
	kill := cgroupKill()
	var have []string
	for _, f := range []struct {
		there bool
		name  string
	}{{pidfd == nil, "pidfd"}, {pidfs, "pidfs"}, {kill != "", "cgroup.kill"}} {
		if f.there {
			have = append(have, f.name)
		}
	}
	r := ok("%s has %s", release, strings.Join(have, ", "))
	if pidfd != nil {
		r = warn("use Linux 5.3 or later, or let the container's filter pass pidfd_open(2)",
			"%s has no pidfds (%s): stop and signal could hit a process that got the pid of an ended one", release, refused(pidfd))
	} else if !pidfs {
		r.Found += "; without pidfs (Linux 6.9) processes are told apart by their start time"
	}
	return r.with("release", release).with("pidfd_open", yesNo(pidfd == nil)).with("pidfs", yesNo(pidfs)).with("cgroup_kill", kill)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// pidfds reports whether a process can be held on to, and known by an inode number.
func pidfds() (open error, byInode bool) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return err, false
	}
	defer unix.Close(fd)
	id, err := proc.OfPidfd(fd, os.Getpid())
	return nil, err == nil && id.Inode != 0
}

// cgroupKill is the cgroup.kill of this process's control group (cgroups(7), Linux
// 5.14), or where that is the root, which has none, of one below; "" if there is none.
func cgroupKill() string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	group := ""
	for line := range strings.Lines(string(own)) {
		if g, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			group = g
		}
	}
	for line := range strings.Lines(string(text)) {
		m, ok := parseMount(line)
		if !ok || m.kind != "cgroup2" {
			continue
		}
		own := strings.TrimSuffix(m.point, "/") + strings.TrimSuffix(group, "/")
		for _, pattern := range []string{own + "/cgroup.kill", own + "/*/cgroup.kill"} {
			if found, _ := filepath.Glob(pattern); len(found) > 0 {
				return found[0]
			}
		}
	}
	return ""
}
