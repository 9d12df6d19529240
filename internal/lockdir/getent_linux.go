package lockdir

import (
	"os/exec"
	"strconv"
	"strings"
)

// getent asks the system's name service for a user that /etc/passwd does not have
// (LDAP, SSSD), which a static program cannot ask itself.
func getent(uid int) (home string, ok bool) {
	for _, path := range []string{"/usr/bin/getent", "/bin/getent"} {
		out, err := exec.Command(path, "passwd", strconv.Itoa(uid)).Output()
		if err != nil {
			continue
		}
		// name:password:uid:gid:comment:home:shell
		if f := strings.Split(strings.TrimSpace(string(out)), ":"); len(f) == 7 && f[2] == strconv.Itoa(uid) {
			return f[5], true
		}
	}
	return "", false
}
