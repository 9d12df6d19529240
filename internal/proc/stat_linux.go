package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Stat is what sole needs of /proc/PID/stat.
type Stat struct {
	PID    int
	State  byte // R, S, D, T (stopped), t (traced), Z (ended, not waited for), …
	Parent int
	Start  uint64
}

// ReadStat reads /proc/PID/stat. The error is ErrGone if there is no such process.
func ReadStat(pid int) (Stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		// ESRCH: it ended between open and read.
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
			return Stat{}, ErrGone
		}
		return Stat{}, err
	}
	return parseStat(pid, b)
}

// parseStat reads what follows the command's name, which may itself contain
// blanks and parentheses: the last one ends it (proc_pid_stat(5)).
func parseStat(pid int, b []byte) (Stat, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return Stat{}, fmt.Errorf("/proc/%d/stat has no command name", pid)
	}
	f := bytes.Fields(b[end+1:])
	const first = 3 // the field that f begins with
	const state, parent, start = 0, 4 - first, 22 - first
	if len(f) <= start || len(f[state]) != 1 {
		return Stat{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f)+2)
	}
	ppid, err := strconv.Atoi(string(f[parent]))
	if err != nil {
		return Stat{}, fmt.Errorf("/proc/%d/stat: parent: %w", pid, err)
	}
	ticks, err := strconv.ParseUint(string(f[start]), 10, 64)
	if err != nil {
		return Stat{}, fmt.Errorf("/proc/%d/stat: start time: %w", pid, err)
	}
	return Stat{PID: pid, State: f[state][0], Parent: ppid, Start: ticks}, nil
}
