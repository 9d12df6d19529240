//go:build linux

package torture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// witnessDir makes this test binary the command of a start: it holds locks of its own in that
// directory, by which it notices others that must not be there.
const witnessDir = "SOLE_TORTURE_WITNESS"

// witnessKind is what the start has asked for: "alone", or anything else.
const witnessKind = "SOLE_TORTURE_KIND"

// standWitness is that command.
func standWitness() int {
	dir, kind, slot := os.Getenv(witnessDir), os.Getenv(witnessKind), os.Getenv("SOLE_SLOT")
	how := unix.LOCK_SH
	if kind == "alone" {
		how = unix.LOCK_EX
	}
	others := alone(dir+"/all", how)
	if slot != "" {
		others = append(others, alone(dir+"/slot"+slot, unix.LOCK_EX)...)
	}
	if len(others) > 0 {
		note(dir+"/violations", fmt.Sprintf("%s:%s:%s:%v", kind, slot, os.Getenv("SOLE_RUN"), others))
	}
	note(dir+"/ran", strings.Join([]string{os.Getenv("SOLE_RUN"), kind, slot}, ":"))
	time.Sleep(rand.N(20 * time.Millisecond))
	return 0
}

// note appends a line.
func note(path, line string) {
	if f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err == nil {
		fmt.Fprintln(f, strings.ReplaceAll(line, " ", ","))
		f.Close()
	}
}

// alone locks the file, and returns who has it, unless that is about to be gone: the kernel closes
// the descriptors of a killed process one after the other, sole's perhaps before the witness's.
func alone(path string, how int) (others []int) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT, 0o600) // stays open until the end
	if err != nil {
		return []int{-1}
	}
	for {
		if unix.Flock(fd, how|unix.LOCK_NB) == nil {
			return nil
		}
		for _, pid := range flockers(path) {
			if pid != os.Getpid() && !dying(pid) {
				others = append(others, pid)
			}
		}
		if len(others) > 0 {
			return others
		}
	}
}

// flockers are the processes that locked the file by flock(2).
func flockers(path string) (pids []int) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	b, _ := os.ReadFile("/proc/locks")
	inode := fmt.Sprintf(":%d", st.Ino)
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l) // 1: FLOCK ADVISORY WRITE 812 00:1f:12345 0 EOF
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], inode) {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// dying reports whether the process is in exit(2), or gone.
func dying(pid int) bool {
	const exiting = 4 // PF_EXITING in linux/sched.h
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	flags, err := strconv.ParseUint(string(f[6]), 10, 64)
	return err != nil || flags&exiting != 0
}
