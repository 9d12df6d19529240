//go:build linux && (amd64 || arm64)

package supervise

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
)

// The supervisor takes signals and children of its whole process, so each test
// runs it in a process of its own: this test binary, told so by the environment.
func TestMain(m *testing.M) {
	if script := os.Getenv("SUPERVISE"); script != "" {
		os.Exit(helper(script))
	}
	os.Exit(m.Run())
}

func helper(script string) int {
	limit, _ := time.ParseDuration(os.Getenv("MAXTIME"))
	r, err := Run(Spec{
		Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Env: os.Environ(),
		MaxTime: limit, Grace: 50 * time.Millisecond,
		UntilTree: os.Getenv("UNTIL") == "tree", KillTree: os.Getenv("KILLTREE") != "",
		Started: func(pid int) { _, _ = io.WriteString(os.Stdout, "started "+strconv.Itoa(pid)+"\n") },
	})
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		return 99
	}
	if r.TimedOut {
		return 124
	}
	if r.Status.Signaled() {
		DieBy(r.Status.Signal())
	}
	return r.Status.ExitStatus()
}

type supervised struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	pid int // of the command
	// early are the lines that the command wrote before the supervisor said its pid.
	early []string
}

func begin(t *testing.T, script string, env ...string) *supervised {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "SUPERVISE="+script), env...)
	cmd.Stderr = os.Stderr
	// A pipe that exec copies would wait for whoever keeps it open.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	in, err := cmd.StdinPipe() // for scripts that wait
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = r.Close(); _ = in.Close() })
	s := &supervised{cmd: cmd, in: in, out: bufio.NewReader(r)}
	var early []string
	for {
		l := s.line(t)
		pid, ok := strings.CutPrefix(l, "started ")
		if !ok {
			early = append(early, l)
			continue
		}
		s.pid, _ = strconv.Atoi(pid)
		s.early = early
		return s
	}
}

func (s *supervised) line(t *testing.T) string {
	t.Helper()
	if len(s.early) > 0 {
		l := s.early[0]
		s.early = s.early[1:]
		return l
	}
	l, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(l)
}

func (s *supervised) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestExitCodeAndDeathBySignal(t *testing.T) {
	if ws := begin(t, "exit 7").wait(t); ws.ExitStatus() != 7 {
		t.Error(ws)
	}
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGSEGV, unix.SIGQUIT} {
		ws := begin(t, "kill -"+strconv.Itoa(int(sig))+" $$").wait(t)
		if !ws.Signaled() || ws.Signal() != sig || ws.CoreDump() {
			t.Errorf("%v: %#x", sig, ws)
		}
	}
}

func TestSignalsArePassedOnOnce(t *testing.T) {
	for _, sig := range []string{"TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT"} {
		s := begin(t, `n=0; trap 'n=$((n+1)); echo got' `+sig+`; trap 'echo total $n; exit 0' ALRM; echo ready; while :; do read x; done`)
		if l := s.line(t); l != "ready" {
			t.Fatal(l)
		}
		if err := s.cmd.Process.Signal(unix.SignalNum("SIG" + sig)); err != nil {
			t.Fatal(err)
		}
		if l := s.line(t); l != "got" {
			t.Errorf("%s: %s", sig, l)
		}
		if id, err := proc.Of(s.pid); err != nil {
			t.Error(err)
		} else if h, err := id.Open(); err != nil {
			t.Error(err)
		} else {
			_ = h.Signal(unix.SIGALRM)
			h.Close()
		}
		if l := s.line(t); l != "total 1" {
			t.Errorf("%s: %s", sig, l)
		}
		s.wait(t)
	}
}

func TestMaxTimeKillsWhatIgnoresTERM(t *testing.T) {
	s := begin(t, `trap '' TERM; exec sleep 1000`, "MAXTIME=50ms")
	if ws := s.wait(t); ws.ExitStatus() != 124 {
		t.Errorf("%#x", ws)
	}
}

// leavesDaemon is a command that leaves a daemon in a session of its own, and ends
// once it may.
const leavesDaemon = `setsid sh -c 'echo daemon $$; exec sleep 1000' & read x; exit 3`

func TestLeftDaemonDoesNotHoldTheSupervisor(t *testing.T) {
	s := begin(t, leavesDaemon)
	pid := daemonPID(t, s)
	if ws := s.wait(t); ws.ExitStatus() != 3 {
		t.Errorf("%#x", ws)
	}
	end(t, pid)
}

func TestUntilTreeWaitsForTheDaemon(t *testing.T) {
	s := begin(t, leavesDaemon, "UNTIL=tree")
	pid := daemonPID(t, s)
	if alive, err := (mustID(t, s.cmd.Process.Pid)).Alive(); !alive || err != nil {
		t.Fatal("the supervisor has ended before the daemon")
	}
	end(t, pid)
	if ws := s.wait(t); ws.ExitStatus() != 3 {
		t.Errorf("%#x", ws)
	}
}

func TestKillTreeEndsTheDaemon(t *testing.T) {
	for _, daemon := range []string{leavesDaemon, `setsid sh -c 'trap "" TERM; echo daemon $$; while :; do sleep 1000; done' & read x; exit 3`} {
		s := begin(t, daemon, "KILLTREE=1")
		pid := daemonPID(t, s)
		if ws := s.wait(t); ws.ExitStatus() != 3 {
			t.Errorf("%#x", ws)
		}
		if id, err := proc.Of(pid); err == nil {
			if alive, _ := id.Alive(); alive {
				t.Errorf("daemon %d lives", pid)
				end(t, pid)
			}
		}
	}
}

func daemonPID(t *testing.T, s *supervised) int {
	t.Helper()
	l := s.line(t)
	pid, err := strconv.Atoi(strings.TrimPrefix(l, "daemon "))
	if err != nil {
		t.Fatal(l)
	}
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		t.Fatal(err)
	}
	return pid
}

func mustID(t *testing.T, pid int) proc.ID {
	t.Helper()
	id, err := proc.Of(pid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func end(t *testing.T, pid int) {
	t.Helper()
	h, err := mustID(t, pid).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
