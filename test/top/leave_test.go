package top

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// screenPID is the process that has the screen, a child of sole.
func (s *seat) screenPID() int {
	s.Helper()
	pid := 0
	until(s, "sole has started sole-top", func() bool {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/task/" + strconv.Itoa(s.cmd.Process.Pid) + "/children")
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return pid != 0
	})
	return pid
}

func TestTerminalIsLeftClean(t *testing.T) {
	t.Parallel()
	n := sample(t)
	for _, c := range []struct {
		name   string
		end    func(s *seat)
		signal syscall.Signal
	}{
		{"q", func(s *seat) { s.typed("q") }, 0},
		{"ctrl-c", func(s *seat) { s.typed("\x03") }, 0},
		{"TERM", func(s *seat) { _ = s.cmd.Process.Signal(unix.SIGTERM) }, unix.SIGTERM},
		{"HUP", func(s *seat) { _ = s.cmd.Process.Signal(unix.SIGHUP) }, unix.SIGHUP},
		{"INT", func(s *seat) { _ = s.cmd.Process.Signal(unix.SIGINT) }, unix.SIGINT},
		{"TERM of the screen", func(s *seat) { _ = unix.Kill(s.screenPID(), unix.SIGTERM) }, unix.SIGTERM},
		{"KILL of the screen", func(s *seat) { _ = unix.Kill(s.screenPID(), unix.SIGKILL) }, unix.SIGKILL},
		{"KILL of sole", func(s *seat) { _ = s.cmd.Process.Kill() }, unix.SIGKILL},
	} {
		s := n.top(80, 24, nil)
		s.sees("q quit")
		if !s.alternate() {
			t.Fatal("it is not on the alternate screen")
		}
		screen := s.screenPID()
		c.end(s)
		ws := s.leaves()
		if c.signal == 0 && ws.ExitStatus() != 0 || c.signal != 0 && (!ws.Signaled() || ws.Signal() != c.signal) {
			t.Errorf("%s: %v, exit %d, signal %v", c.name, ws, ws.ExitStatus(), ws.Signal())
		}
		until(t, "the screen's process has ended", func() bool { return unix.Kill(screen, 0) != nil })
		t.Log(c.name)
		s.clean()
	}
}

// A stop by ctrl-z gives the terminal back to the shell, and fg the screen.
func TestSuspend(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	must(t, err)
	n := sample(t)
	s := sit(t, 80, 24, n.env("PS1=ready> ", "HISTFILE="), bash, "--norc", "--noprofile", "--noediting", "-i")
	s.sees("ready>")
	s.typed(binary + " top\n")
	s.sees("q quit")
	for i := range 2 {
		s.typed("\x1a")
		until(t, "the shell has the terminal", func() bool { return !s.alternate() })
		until(t, "the shell says so", func() bool { return strings.Count(s.output(), "Stopped") == i+1 })
		// The words that are typed are echoed, their result is not typed.
		s.typed(fmt.Sprintf("echo code=$((40+%d))\n", i))
		s.sees(fmt.Sprintf("code=%d", 40+i))
		s.typed("fg\n")
		until(t, "the screen is back", s.alternate)
		s.sees("q quit")
	}
	s.typed("q")
	until(t, "the screen is left", func() bool { return !s.alternate() })
	s.typed("echo left=$?\n")
	s.sees("left=0")
	s.typed("exit\n")
	s.leaves()
	s.clean()
}
