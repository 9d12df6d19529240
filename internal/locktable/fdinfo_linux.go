package locktable

import (
	"bytes"
	"os"
	"slices"
	"strconv"

	"github.com/sole-run/sole/internal/proc"
)

// Holders returns the pids of the processes that have the locked file open on the
// very description that is locked, in the order in which they were started. It
// sees the processes that the caller may look into (PTRACE_MODE_READ, ptrace(2)).
func Holders(k Key, loose bool) []int {
	pids, err := proc.All()
	if err != nil {
		return nil
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool { return !Holds(pid, k, loose) })
	byStart(pids)
	return pids
}

// Markers is [Holders], of the descriptions that also have an open file description
// lock (fcntl(2)) on the byte at off.
func Markers(k Key, loose bool, off int64) []int {
	pids, err := proc.All()
	if err != nil {
		return nil
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool { return !Marks(pid, k, loose, off) })
	byStart(pids)
	return pids
}

// RangeHolders returns the pids of the processes that have a lock on the file by
// fcntl(2), of either of its kinds, in the order in which they were started. One of a process
// (F_SETLK) is seen in /proc/locks too, whoever the caller is.
func RangeHolders(k Key, loose bool) []int {
	pids, err := proc.All()
	if err != nil {
		return nil
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool {
		return anyLock(pid, func(_ string, e Key, family string, _ []byte) bool {
			return (family == posix || family == ofd) && sameFile(e, k, loose)
		}) == ""
	})
	if b, _, err := readPages("/proc/locks"); err == nil {
		pids = union(pids, parseAs(b, posix).holders(k, loose))
	}
	byStart(pids)
	return pids
}

// Marks reports whether pid is one of the [Markers].
func Marks(pid int, k Key, loose bool, off int64) bool {
	return lockedAs(pid, func(_ string, e Key, info []byte) bool {
		return sameFile(e, k, loose) && marks(info, off)
	}) != ""
}

// Holds reports whether pid has the file open on a description that is locked.
func Holds(pid int, k Key, loose bool) bool {
	return locked(pid, func(_ string, e Key) bool {
		return sameFile(e, k, loose)
	}) != ""
}

// Locked reports whether a descriptor of this process is of a description that is locked
// by flock(2).
func Locked(fd int) bool {
	b, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	return err == nil && slices.ContainsFunc(lockLines(b), func(l lockLine) bool { return l.family == flocks })
}

// HoldsDeleted reports whether pid holds a lock on a file that was at path until
// it was deleted or replaced.
func HoldsDeleted(pid int, path string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	return locked(pid, func(fd string, _ Key) bool {
		target, err := os.Readlink(dir + fd)
		return err == nil && target == path+" (deleted)"
	}) != ""
}

// DeletedHolders returns the pids of the processes that hold a lock on a file that
// was at path until it was deleted or replaced. k is the file that is there now.
func DeletedHolders(path string, k Key, loose bool) []int {
	pids, complete := takers(k, loose)
	if !complete {
		var err error
		if pids, err = proc.All(); err != nil {
			return nil
		}
	}
	self := os.Getpid()
	pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == self || !HoldsDeleted(pid, path) })
	byStart(pids)
	return pids
}

// takers returns the pids that took a lock on k's filesystem, on files other than k.
// They are all that can hold one, and complete is set, if none of them has ended: the lock of one
// that has is held by a process that inherited it.
func takers(k Key, loose bool) (pids []int, complete bool) {
	if loose || !inFirstNamespace() {
		return nil, false
	}
	t, err := Read()
	if err != nil {
		return nil, false
	}
	seen := make(map[int]bool)
	for other, e := range t {
		if other.Major != k.Major || other.Minor != k.Minor || other.Ino == k.Ino {
			continue
		}
		for _, pid := range e.Holders {
			if seen[pid] {
				continue
			}
			seen[pid] = true
			if st, err := proc.ReadStat(pid); err != nil || st.State == 'Z' || st.State == 'X' {
				return nil, false
			}
			pids = append(pids, pid)
		}
	}
	return pids, true
}

// inFirstNamespace reports whether every lock is shown in /proc/locks. In any
// other pid namespace those whose taker has ended are not.
func inFirstNamespace() bool {
	const initPIDNamespace = 0xeffffffc // PROC_PID_INIT_INO in linux/proc_ns.h
	here, err := proc.Here()
	return err == nil && here.PIDs == initPIDNamespace
}

func sameFile(e, k Key, loose bool) bool {
	return e == k || loose && e.Ino == k.Ino && e.Major == 0
}

// locked returns the first descriptor of pid that is locked by flock(2) and
// for which want says yes, "" if there is none.
func locked(pid int, want func(fd string, k Key) bool) string {
	return lockedAs(pid, func(fd string, k Key, _ []byte) bool { return want(fd, k) })
}

// lockedAs is locked, with what else is known of the descriptor.
func lockedAs(pid int, want func(fd string, k Key, info []byte) bool) string {
	return anyLock(pid, func(fd string, k Key, family string, info []byte) bool {
		return family == flocks && want(fd, k, info)
	})
}

// anyLock is lockedAs for locks of all families.
func anyLock(pid int, want func(fd string, k Key, family string, info []byte) bool) string {
	dir := "/proc/" + strconv.Itoa(pid) + "/fdinfo"
	d, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	fds, _ := d.Readdirnames(-1)
	for _, fd := range fds {
		b, err := os.ReadFile(dir + "/" + fd)
		if err != nil {
			continue
		}
		for _, l := range lockLines(b) {
			if want(fd, l.key, l.family, b) {
				return fd
			}
		}
	}
	return ""
}

// lockLine is a lock on a file.
type lockLine struct {
	key    Key
	family string
}

// lockLines returns the locks in an fdinfo file:
//
//	lock:	1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF
func lockLines(b []byte) []lockLine {
	var found []lockLine
	for l := range bytes.Lines(b) {
		v, ok := bytes.CutPrefix(l, []byte("lock:"))
		if !ok {
			continue
		}
		f := bytes.Fields(v)
		if len(f) < 6 {
			continue
		}
		if k, ok := parseKey(f[5]); ok {
			found = append(found, lockLine{k, string(f[1])})
		}
	}
	return found
}

// marks reports whether an fdinfo file has an open file description lock on the byte:
//
//	lock:	2: OFDLCK ADVISORY  WRITE -1 fe:00:1234 5 5
func marks(info []byte, off int64) bool {
	for l := range bytes.Lines(info) {
		v, ok := bytes.CutPrefix(l, []byte("lock:"))
		if !ok {
			continue
		}
		f := bytes.Fields(v)
		if len(f) < 8 || string(f[1]) != ofd {
			continue
		}
		from, err := strconv.ParseInt(string(f[6]), 10, 64)
		if err != nil || off < from {
			continue
		}
		if to, err := strconv.ParseInt(string(f[7]), 10, 64); string(f[7]) == "EOF" || err == nil && off <= to {
			return true
		}
	}
	return false
}

func byStart(pids []int) {
	started := make(map[int]uint64, len(pids))
	for _, pid := range pids {
		if st, err := proc.ReadStat(pid); err == nil {
			started[pid] = st.Start
		}
	}
	slices.SortFunc(pids, func(a, b int) int {
		if started[a] != started[b] {
			if started[a] < started[b] {
				return -1
			}
			return 1
		}
		return a - b
	})
}
