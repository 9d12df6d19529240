package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// blockedIn counts the threads of a process that are in the system call.
func blockedIn(pid int, call uintptr) int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	n := 0
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		if nr, _, _ := strings.Cut(string(b), " "); nr == strconv.Itoa(int(call)) {
			n++
		}
	}
	return n
}

// flockedBy are the processes that took the flock(2) of a file.
func flockedBy(path string) (pids []int) {
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil {
		return nil
	}
	b, _ := os.ReadFile("/proc/locks")
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l) // 1: FLOCK ADVISORY WRITE 812 00:1f:12345 0 EOF; one that waits has "->"
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], fmt.Sprintf(":%d", st.Ino)) {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
