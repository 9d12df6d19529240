package top

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

type status struct {
	State string
	Run   uint64
	Child int `json:"child_pid"`
}

func (n *names) status(name string) (st status) {
	n.Helper()
	c := exec.Command(binary, "status", "--json", name)
	c.Env = append(os.Environ(), n.env()...)
	out, _ := c.Output()
	must(n, json.Unmarshal(out, &st))
	return st
}

func TestStop(t *testing.T) {
	t.Parallel()
	n := newNames(t)
	n.hold("backup", lives...)
	n.hold("mirror", lives...)
	s := n.top(80, 24, nil)
	s.sees("mirror")
	s.typed("js")
	s.sees("stop mirror, pid")
	s.typed("n")
	s.sees("nothing was done")
	s.typed("sy")
	s.sees("mirror, run 1, has ended")
	if st := n.status("mirror"); st.State != "free" {
		t.Errorf("%+v", st)
	}
	if st := n.status("backup"); st.State != "held" {
		t.Errorf("%+v", st)
	}
}

func TestStopKillsAfterTheGrace(t *testing.T) {
	t.Parallel()
	n := newNames(t)
	n.hold("stubborn", "sh", "-c", `trap "" TERM; echo up; cat; cat <&2`)
	s := n.top(80, 24, nil, "--grace", "200ms")
	s.sees("stubborn")
	s.typed("sy")
	s.sees("was killed")
	if st := n.status("stubborn"); st.State != "free" {
		t.Errorf("%+v", st)
	}
}

func TestSignalMenu(t *testing.T) {
	t.Parallel()
	n := newNames(t)
	file := filepath.Join(t.TempDir(), "got")
	n.hold("job", "sh", "-c", `trap 'echo usr1 >>`+file+`' USR1; trap 'echo hup >>`+file+`' HUP; echo up; while :; do sleep 600 & wait; done`)
	s := n.top(80, 24, nil)
	s.sees("job")
	got := func(want string) {
		t.Helper()
		until(t, "the job has got "+want, func() bool { b, _ := os.ReadFile(file); return string(b) == want })
	}
	s.typed("x")
	s.sees("send a signal to job")
	s.typed("jjjj\r")
	s.sees("sent SIGUSR1 to job")
	got("usr1\n")
	s.typed("r")
	s.sees("reload job")
	s.typed("y")
	s.sees("sent SIGHUP to job")
	got("usr1\nhup\n")
}

// What was asked about the run that was shown is not done to a later one.
func TestLaterRunIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"s", "r", "x"} {
		n := newNames(t)
		first := n.hold("job", lives...)
		s := n.top(80, 24, nil)
		s.sees("job")
		s.typed(keys)
		s.sees("job, pid")
		must(t, first.Process.Kill())
		_ = first.Wait()
		// What is left of it ends with its input; then the next run begins.
		var second *exec.Cmd
		until(t, "the first run has ended", func() bool { return n.status("job").State == "free" })
		second = n.hold("job", lives...)
		run := n.status("job").Run
		if keys == "x" {
			s.typed("\r") // TERM
		} else {
			s.typed("y")
		}
		if keys == "s" {
			s.sees("has ended")
		} else {
			s.sees("that run has ended")
		}
		if st := n.status("job"); st.State != "held" || st.Run != run || second.ProcessState != nil {
			t.Errorf("%q: the later run was hit: %+v", keys, st)
		}
	}
}
