//go:build linux && (amd64 || arm64)

package early

import (
	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// findDir writes the directory of the names to now.path, and the lock file's name behind
// it. Only a path without anything to resolve is plain.
func (r *request) findDir() bool {
	dir := r.dir
	if !r.dirGiven {
		dir = r.soleDir
	}
	var ok bool
	switch {
	case dir != "":
		ok = setDir(dir, "")
	case r.dirGiven:
		return false
	case r.euid == 0:
		ok = setDir(lockdir.RootDir, "")
	default:
		home, found := r.home()
		ok = found && setDir(home, "/"+lockdir.HomeDir)
	}
	if !ok || now.dirLen+len(r.name)+len("/.lock")+1 > len(now.path) {
		return false
	}
	n := now.dirLen
	now.path[n] = '/'
	n += 1 + copy(now.path[n+1:], r.name)
	copy(now.path[n:], lockdir.Suffix) // zeros follow
	return true
}

// setDir puts dir with below behind it into now.path, if it is absolute and has neither
// empty steps nor dots.
func setDir(dir, below string) bool {
	n := len(dir) + len(below)
	if n < 2 || n > 1024 || dir[0] != '/' {
		return false
	}
	copy(now.path[copy(now.path[:], dir):], below)
	now.dirLen = n
	step := 0 // where the step begins
	for i := 1; i <= n; i++ {
		if i < n && now.path[i] != '/' {
			continue
		}
		s := now.path[step+1 : i]
		if len(s) == 0 || s[0] == '.' && (len(s) == 1 || len(s) == 2 && s[1] == '.') {
			return false
		}
		step = i
	}
	return true
}

// home is the caller's home directory, if it is plainly one.
func (r *request) home() (string, bool) {
	_, home, ok := passwd(r.euid)
	if !ok || len(home) < 2 || len(home) >= len(now.program) {
		return "", false
	}
	now.program[copy(now.program[:], home)] = 0
	ok = stat(&now.program[0], &now.st, 0) && now.st.Uid == r.euid && now.st.Mode&unix.S_IFMT == unix.S_IFDIR
	return home, ok
}

// trustDir judges each step to the directory. A link is none that is fit.
func trustDir(euid uint32) bool {
	for i := 0; i <= now.dirLen; i++ {
		if now.path[i] != '/' {
			continue
		}
		end := max(i, 1) // the first is "/" itself
		before := now.path[end]
		now.path[end] = 0
		ok := stat(&now.path[0], &now.st, unix.AT_SYMLINK_NOFOLLOW)
		now.path[end] = before
		if !ok || !lockdir.FitDir(now.st.Mode, now.st.Uid, euid) {
			return false
		}
	}
	return true
}
