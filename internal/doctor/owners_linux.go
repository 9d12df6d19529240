package doctor

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

// checkOwners walks to the directory as a start does, and judges each step.
func checkOwners(p Place) Result {
	s, err := p.find()
	if err != nil {
		return skip("there is no directory to walk to")
	}
	steps, missing, err := lockdir.Survey(s.path)
	r := ok("each step to it belongs to root or uid %d, and no other can change it", os.Geteuid())
	if err != nil {
		r = trouble(err)
	} else if missing != "" {
		r = ok("each step up to %s belongs to root or uid %d, and no other can change it", cutPath(s.at), os.Geteuid())
	}
	var all []string
	for _, st := range steps {
		all = append(all, fmt.Sprintf("%s uid %d %s", shown(st.Path), st.UID, modeText(st.Mode)))
	}
	r = r.with("steps", strings.Join(all, "; ")).with("uid", itoa(os.Geteuid()))
	if missing != "" {
		r = r.with("missing", missing)
	}
	return r
}

// modeText is a mode in octal, with what it is if that is not a directory.
func modeText(mode uint32) string {
	text := fmt.Sprintf("%04o", mode&0o7777)
	if mode&unix.S_IFMT == unix.S_IFLNK {
		return "link"
	}
	if mode&unix.S_ISVTX != 0 {
		return text + " sticky"
	}
	return text
}
