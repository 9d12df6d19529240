//go:build linux

package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A lock file that is deleted between its opening and its locking is no lock any more: the
// start must see that another one holds the name by now. The delay of strace(1) makes the gap.
func TestFileReplacedBeforeItIsLocked(t *testing.T) {
	t.Parallel()
	strace := need(t, "strace", "strace")
	for name, binary := range map[string]string{"early": binary, "ordinary": plainBinary} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			l := b.launch(b.command(strace, "-qq", "-o", b.file("trace"), "-e", "trace=flock", "-e", "inject=flock:delay_enter=3000000:when=1",
				"--", binary, "run", "n", "--", "touch", b.file("witness")))
			b.eventually("the file is open", func() bool { return opened(l.Process.Pid, b.lockFile("n")) })
			must(t, os.Remove(b.lockFile("n")))
			h := b.hold("n")
			if l.ended() {
				t.Fatal("the start was not delayed")
			}
			if o := l.wait(); o.code != 75 {
				t.Errorf("beside the new file's holder: %v", o)
			}
			b.notRun()
			h.release()
		})
	}
}

// opened reports whether a child of the process has the file open.
func opened(parent int, path string) bool {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	for _, pid := range strings.Fields(string(children)) {
		dir := "/proc/" + pid + "/fd/"
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			if to, _ := os.Readlink(dir + fd.Name()); to == path {
				return true
			}
		}
	}
	return false
}
