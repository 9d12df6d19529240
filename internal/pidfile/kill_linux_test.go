package pidfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// calls are what an owner does to files, from the first to the last.
var calls = []string{"openat", "flock", "unlinkat,unlink", "pwrite64", "ftruncate", "fsync", "linkat,link", "renameat,rename,renameat2", "fchmod"}

// Wherever an owner is killed, the next one gets the file with nothing to clean, and never
// beside a command that lives.
func TestKillAtEachSyscall(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is missing: apt-get install strace")
	}
	kills := 0
	defer func() { t.Logf("%d kills", kills) }()
	for _, remove := range []bool{false, true} {
		for _, call := range calls {
			for when := 1; sweep(t, call, when, remove); when++ {
				kills++
				if when > 60 {
					t.Fatalf("%s: there is no end of it", call)
				}
			}
		}
	}
	if kills < 50 {
		t.Error("so few: the calls have other names here")
	}
}

// sweep kills an owner at its when-th call, and reports whether there was one.
func sweep(t *testing.T, call string, when int, remove bool) bool {
	path := inMemory(t) + "/x.pid"
	command := exec.Command("cat")
	in, err := command.StdinPipe()
	must(t, err)
	must(t, command.Start())
	defer func() { _ = in.Close(); _ = command.Wait() }()
	// A stale file is there, so that taking it away is swept too.
	must(t, os.WriteFile(path, []byte(fmt.Sprintln(gone(t))), 0o644))
	args := []string{path, fmt.Sprint(command.Process.Pid)}
	if remove {
		args = append(args, "remove")
	}
	argv := append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, when), "--", os.Args[0]}, args...)
	c := exec.Command("strace", argv...)
	c.Env = append(os.Environ(), helperEnv+"=whole", "GOMAXPROCS=1")
	out, err := c.CombinedOutput()
	if err == nil {
		return false
	}
	if strings.TrimSpace(string(out)) != "" {
		t.Fatalf("%s: %s, %v", call, out, err)
	}
	named, readErr := os.ReadFile(path)
	b, _ := os.ReadFile(filepath.Dir(path) + "/.x.pid.id")
	written, _ := decode(b)
	f, err := Take(path, Lock{})
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		if string(named) != fmt.Sprintln(command.Process.Pid) && busy.Alive.PID != command.Process.Pid {
			t.Errorf("killed at %s %d: %q, %v", call, when, named, err)
		}
	case err != nil:
		t.Errorf("killed at %s %d: %v", call, when, err)
	default:
		if readErr == nil && (string(named) == fmt.Sprintln(command.Process.Pid) || written.command.PID == command.Process.Pid) {
			t.Errorf("killed at %s %d: taken beside the command that lives: %q", call, when, named)
		}
		must(t, f.Remove())
		empty(t, path)
	}
	return true
}
