package lockdir

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// RootDir holds root's names. It outlives a restart of the host, so that run
	// numbers do.
	RootDir = "/var/lib/sole"
	// usersDir holds, each in a directory of its own that root makes, the names of
	// users who have no home directory of their own.
	usersDir = RootDir + "-users"
	// HomeDir is where the others' names live, below the home directory.
	HomeDir = ".local/state/sole"
)

// Default is where the caller's names live if nothing else is asked for. It
// depends on the effective user and the user database alone: not on HOME or any
// other variable, which cron, su and systemd set differently.
func Default() (string, error) { return DefaultOf(os.Geteuid()) }

// DefaultOf is where the names of the user uid live.
func DefaultOf(uid int) (string, error) {
	if uid == 0 {
		return RootDir, nil
	}
	own := usersDir + "/" + strconv.Itoa(uid)
	home, err := homeOf(uid)
	if err != nil {
		return "", err
	}
	if home == "" {
		return own, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(home, &st); err == nil && int(st.Uid) == uid && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return home + "/" + HomeDir, nil
	}
	// A missing home that is merely not mounted yet must not move the names.
	if err := unix.Stat(own, &st); err != nil {
		return "", &UnsafeError{
			Path:    home,
			Problem: fmt.Sprintf("is the home directory of uid %d but does not belong to it, so there is no place for its names", uid),
			Remedy:  fmt.Sprintf("name a directory with --dir or SOLE_DIR, or as root: install -d -m 700 -o %d %s", uid, own),
		}
	}
	return own, nil
}

// homeOf returns the home directory that the user database has, "" if the user is
// not in it.
func homeOf(uid int) (string, error) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err == nil {
		return u.HomeDir, nil
	}
	if home, ok := getent(uid); ok {
		return home, nil
	}
	if _, unknown := err.(user.UnknownUserIdError); unknown {
		return "", nil
	}
	return "", err
}
