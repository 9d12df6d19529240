//go:build linux

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRefuseEachSyscall makes each system call of a run that needs no Go runtime fail
// once: the command runs once all the same, its end is noticed, and the name is free then.
func TestRefuseEachSyscall(t *testing.T) {
	needs(t, "strace")
	refuseEach(t, "0", regexp.MustCompile(`.`))
	// From the first second on the lock file is watched.
	refuseEach(t, "1.05", regexp.MustCompile(`^(ppoll|read|signalfd4|inotify_.*|waitid|rt_sigtimedwait|rt_sigprocmask|clock_gettime)$`))
}

// refuseEach is that test for the calls that match, with a command that takes so many seconds.
func refuseEach(t *testing.T, seconds string, which *regexp.Regexp) {
	tried := 0
	for call, n := range countCalls(t, seconds) {
		if !which.MatchString(call) {
			continue
		}
		for when := 1; when <= n; when++ {
			tried++
			t.Run(fmt.Sprintf("%s %d after %s s", call, when, seconds), func(t *testing.T) {
				t.Parallel()
				dir, witness, c := shortRun(t, seconds, "trace="+call, fmt.Sprintf("inject=%s:error=ENOSYS:when=%d", call, when))
				r := runCmd(t, c)
				if got := len(lines(witness)); got != 1 || r.code != 7 {
					t.Errorf("ran %d times, exit %d %s, %s", got, r.code, r.signal, r.stderr)
				}
				verify(t, dir, "n")
			})
		}
	}
	if tried < 8 {
		t.Errorf("only %d tried", tried)
	}
}

// shortRun makes a run on a name that has run before, itself under strace with these
// expressions, its command not.
func shortRun(t *testing.T, seconds string, expressions ...string) (dir, witness string, c *exec.Cmd) {
	t.Helper()
	tmp := t.TempDir()
	dir, witness = filepath.Join(tmp, "names"), filepath.Join(tmp, "ran")
	verify(t, dir, "n")
	args := []string{"-qq", "-o", filepath.Join(tmp, "trace")}
	for _, e := range expressions {
		args = append(args, "-e", e)
	}
	const script = `echo ran >>"$0"; sleep "$1"; exit 7`
	c = exec.Command("strace", append(args, "--", soleBin, "run", "n", "--", "/bin/sh", "-c", script, witness, seconds)...)
	c.Env = append(os.Environ(), "SOLE_DIR="+dir)
	return dir, witness, c
}

// countCalls tells how often such a run makes which system call.
func countCalls(t *testing.T, seconds string) map[string]int {
	t.Helper()
	dir, _, c := shortRun(t, seconds)
	if r := runCmd(t, c); r.code != 7 {
		t.Skipf("strace does not work here: exit %d, %s", r.code, r.stderr)
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "trace"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hpage_pmd_size") {
		t.Fatal("the Go runtime has started")
	}
	count := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z_0-9]+)\(`).FindAllStringSubmatch(string(b), -1) {
		if m[1] != "execve" && m[1] != "exit_group" {
			count[m[1]]++
		}
	}
	return count
}
