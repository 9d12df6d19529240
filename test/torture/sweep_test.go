//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/record"
)

// straced runs argv under strace with the injection.
func straced(t *testing.T, dir, trace, inject string, argv ...string) result {
	t.Helper()
	c := exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + trace, "-e", "inject=" + inject, "--"}, argv...)...)
	c.Env = append(os.Environ(), "SOLE_DIR="+dir)
	return runCmd(t, c)
}

// syscallsOf returns the names of the system calls that argv makes.
func syscallsOf(t *testing.T, dir string, argv ...string) []string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "trace")
	c := exec.Command("strace", append([]string{"-f", "-qq", "-o", out, "--"}, argv...)...)
	c.Env = append(os.Environ(), "SOLE_DIR="+dir)
	if r := runCmd(t, c); r.code != 0 {
		t.Skipf("strace does not work here: exit %d, %s", r.code, r.stderr)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\d+\s+([a-z_0-9]+)\(`).FindAllStringSubmatch(string(b), -1) {
		if n := m[1]; n != "exit_group" && n != "exit" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// TestKillAtEachSyscall kills sole at every system call of one run, on a name that
// has run before and on one that has not.
func TestKillAtEachSyscall(t *testing.T) {
	needs(t, "strace")
	dir := t.TempDir()
	// The second run is done before the Go runtime starts.
	argv := []string{soleBin, "run", "trace", "--", "/bin/true"}
	names := append(syscallsOf(t, dir, argv...), syscallsOf(t, dir, argv...)...)
	if !slices.Contains(names, "rt_sigtimedwait") {
		t.Error("rt_sigtimedwait is not among them: the sweep misses the early start")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	t.Logf("%d system calls: %s", len(names), strings.Join(names, " "))
	for _, n := range []string{"flock", "pwrite64", "fcntl"} {
		if !slices.Contains(names, n) {
			t.Errorf("%s is not among them: the sweep misses the lock", n)
		}
	}
	most := 400
	if !full() {
		most = 12
		short := strings.Fields("flock pwrite64 pread64 fcntl openat fstat fdatasync fsync clone clone3 vfork wait4 ppoll pidfd_open waitid rt_sigtimedwait rt_sigprocmask fchmod rt_sigaction execve")
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(short, n) })
	}
	s := sweep{t: t, dir: dir}
	s.last = verify(t, dir, "used")
	for _, sys := range names {
		for n := 1; n <= most && !t.Failed(); n++ {
			if !s.kill(sys, n, "used") {
				break
			}
			if n <= 40 && (full() || strings.Contains(" flock pwrite64 fcntl openat fdatasync ", " "+sys+" ")) {
				s.kill(sys, n, fmt.Sprintf("fresh-%s-%d", sys, n))
			}
		}
	}
	t.Logf("%d kills over %d system calls, %d with an empty record on a fresh name, %d with a record that says held, 0 stuck",
		s.kills, len(names), s.empty, s.held)
	if s.kills < len(names) {
		t.Errorf("only %d kills: the injection does not work", s.kills)
	}
}

type sweep struct {
	t                  *testing.T
	dir                string
	last               uint64
	kills, empty, held int
}

// kill reports whether there was an n-th call of sys to be killed at.
func (s *sweep) kill(sys string, n int, name string) bool {
	t := s.t
	t.Helper()
	r := straced(t, s.dir, sys, fmt.Sprintf("%s:signal=SIGKILL:when=%d", sys, n), soleBin, "run", name, "--", "/bin/true")
	if r.code == 0 {
		return false
	}
	at := fmt.Sprintf("%s, killed at %s %d", name, sys, n)
	if r.code != -1 {
		t.Errorf("%s: exit %d, %s", at, r.code, r.stderr)
		return true
	}
	s.kills++
	fresh := name != "used"
	var last uint64
	if !fresh {
		last = s.last
	}
	// The file first: a verifying start would repair it.
	rec, state, err := decode(filepath.Join(s.dir, name+".lock"))
	switch {
	case err == nil:
		if rec.Run < last {
			t.Errorf("%s: the record's run is %d, after %d", at, rec.Run, last)
		}
		last = max(last, rec.Run)
		if state == record.Held {
			s.held++
		}
	case fresh && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, record.ErrEmpty)):
		s.empty++
	default:
		t.Errorf("%s: the record is lost: %v", at, err)
	}
	// strace has waited for all it traced, the command included. So it is free.
	st, err := sole.Inspect(name, sole.Dir(s.dir))
	if err != nil || st.State != sole.Free {
		t.Errorf("%s: everybody is dead, and it is %s by %d, child %d (%v)", at, st.State, st.PID, st.ChildPID, err)
		ctx, cancel := context.WithTimeout(t.Context(), stuck)
		defer cancel()
		_ = sole.Wait(ctx, name, sole.Dir(s.dir))
	}
	run := verify(t, s.dir, name)
	if run <= last {
		t.Errorf("%s: run %d follows run %d", at, run, last)
	}
	if !fresh {
		s.last = run
	}
	return true
}

// TestKillWhileWatching kills sole where the sweep does not get: from the first second on
// it watches the lock file.
func TestKillWhileWatching(t *testing.T) {
	needs(t, "strace")
	for _, call := range []string{"signalfd4", "inotify_init1", "inotify_add_watch", "ppoll", "read"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			last := verify(t, dir, "n")
			killed := 0
			for when := 1; when < 40; when++ {
				r := straced(t, dir, call, fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, when), soleBin, "run", "n", "--", "/bin/sleep", "1.02")
				if r.code != -1 {
					break
				}
				killed++
				if st := status(t, dir, "n"); st.State != sole.Free {
					t.Errorf("killed at %s %d: %+v", call, when, st)
				}
				run := verify(t, dir, "n")
				if run <= last {
					t.Errorf("killed at %s %d: run %d follows run %d", call, when, run, last)
				}
				last = run
			}
			if killed == 0 {
				t.Error("nothing was killed")
			}
		})
	}
}

// TestKillAtEachSyscallControl shows that the sweep can find a stuck lock: the usual
// lock file in a shell script has some.
func TestKillAtEachSyscallControl(t *testing.T) {
	needs(t, "strace")
	dir := t.TempDir()
	const script = `set -C; { : >"$SOLE_DIR/lock"; } 2>/dev/null || exit 75; /bin/true; rm "$SOLE_DIR/lock"`
	kills, found := 0, 0
	for _, sys := range syscallsOf(t, dir, "/bin/sh", "-c", script) {
		if !full() && !strings.Contains(" openat wait4 close dup2 clone vfork unlinkat fcntl ", " "+sys+" ") {
			continue
		}
		for n := 1; n <= 10; n++ {
			if straced(t, dir, sys, fmt.Sprintf("%s:signal=SIGKILL:when=%d", sys, n), "/bin/sh", "-c", script).code == 0 {
				break
			}
			kills++
			c := exec.Command("/bin/sh", "-c", script)
			c.Env = append(os.Environ(), "SOLE_DIR="+dir)
			if r := runCmd(t, c); r.code != 0 {
				found++
			}
			os.Remove(filepath.Join(dir, "lock"))
		}
	}
	t.Logf("%d kills, %d stuck locks", kills, found)
	if found == 0 {
		t.Error("no stuck lock found: the sweep cannot fail")
	}
}
