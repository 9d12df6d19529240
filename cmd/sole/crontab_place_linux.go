package main

import (
	"errors"
	"os/user"
	"strconv"

	"github.com/sole-run/sole/internal/lockdir"
)

// noPlace says why a user has no place for names; the user who asks, if name is empty. Of
// users who are not known here nothing is said: the crontab may be for another host.
func noPlace(name string) string {
	who, err := name+" has", error(nil)
	if name == "" {
		who = "you have"
		_, err = lockdir.Default()
	} else if u, unknown := user.Lookup(name); unknown == nil {
		var uid int
		if uid, err = strconv.Atoi(u.Uid); err == nil {
			_, err = lockdir.DefaultOf(uid)
		}
	}
	var bad *lockdir.UnsafeError
	if !errors.As(err, &bad) {
		return ""
	}
	return who + " no place for names: " + bad.Remedy
}
