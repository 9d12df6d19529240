package pidfile

import (
	"bytes"
	"fmt"
	"strings"
)

// maxContent is how long another program's pid file may be.
const maxContent = 4096

// content is what a pid file says.
type content struct {
	pid   int
	whole bool // there is a newline behind the pid, so that no digit is missing
}

// parseContent reads a pid file, also one that another program wrote: the first line is
// the pid, perhaps with blanks around it. What follows is that program's own. The problem says
// why it is none.
func parseContent(b []byte) (c content, problem string) {
	if len(b) > maxContent {
		return c, fmt.Sprintf("is longer than %d bytes, so it is no pid file", maxContent)
	}
	if len(b) == 0 {
		return c, "is empty: whoever made it has not written its pid yet, or never did"
	}
	first, _, whole := bytes.Cut(b, []byte("\n"))
	pid, err := parsePID(strings.Trim(string(first), " \t\r"))
	if err != nil {
		return c, "does not begin with a line that is a pid"
	}
	return content{pid, whole}, ""
}
