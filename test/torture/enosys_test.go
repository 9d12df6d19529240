//go:build linux

package torture

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/sole-run/sole"
)

// TestWithoutPidfds makes pidfd_open(2) fail as on an old kernel: in the holder, in
// both. For who looks alone there is TestLookerWithoutPidfds.
func TestWithoutPidfds(t *testing.T) {
	needs(t, "strace")
	dir := t.TempDir()
	const inject = "pidfd_open:error=ENOSYS"
	if r := straced(t, dir, "pidfd_open", inject, soleBin, "run", "n", "--", "/bin/sh", "-c", "exit 7"); r.code != 7 {
		t.Fatalf("run: exit %d %s, %q", r.code, r.signal, r.stderr)
	}
	withoutPidfds(t, false, false)
	withoutPidfds(t, true, false)
	withoutPidfds(t, true, true)
}

// withoutPidfds says whether the holder and the others go without.
func withoutPidfds(t *testing.T, holder, other bool) {
	t.Helper()
	dir := t.TempDir()
	const inject = "pidfd_open:error=ENOSYS"
	look := func(without bool, args ...string) result {
		if without {
			return straced(t, dir, "pidfd_open", inject, append([]string{soleBin}, args...)...)
		}
		return runSole(t, dir, args...)
	}
	c := soleCmd(dir, "run", "n", "--", "/bin/sh", "-c", "echo $$; exec sleep 1000")
	if holder {
		argv := append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=pidfd_open", "-e", "inject=" + inject, "--"}, c.Args...)
		env := c.Env
		c = exec.Command("strace", argv...)
		c.Env = env
	}
	r, w := pipe(t)
	c.Stdout = w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var child int
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("holder without %v: no command: %+v", holder, ended(c.Wait()))
	}
	_ = json.Unmarshal([]byte(line), &child)
	res := look(other, "status", "--json", "n")
	var st sole.Status
	if err := json.Unmarshal([]byte(res.stdout), &st); err != nil {
		t.Errorf("status: %v, %+v", err, res)
	}
	if st.State != sole.Held || st.PID == 0 || st.Orphaned || st.ChildPID != 0 && st.ChildPID != child ||
		!holder && st.PID != c.Process.Pid {
		t.Errorf("without pidfds: holder %v, other %v: %+v", holder, other, st)
	}
	if res := look(other, "run", "n", "--", "/bin/true"); res.code != 75 {
		t.Errorf("without pidfds: holder %v, other %v: a second start: %+v", holder, other, res)
	}
	if other && !holder {
		// An inode cannot be compared without pidfds: better nobody is signalled.
		if res := look(other, "stop", "n"); res.code != 77 {
			t.Errorf("stop of what cannot be verified: %+v", res)
		}
		other = false
	}
	if res := look(other, "stop", "n"); res.code != 0 {
		t.Errorf("without pidfds: holder %v, other %v: stop: %+v", holder, other, res)
		c.Process.Kill()
	}
	if res := ended(c.Wait()); res.code != -1 {
		t.Errorf("without pidfds: holder %v, other %v: the stopped run: %+v", holder, other, res)
	}
	if st := status(t, dir, "n"); st.State != sole.Free {
		t.Errorf("without pidfds: holder %v, other %v: stopped: %+v", holder, other, st)
	}
}
