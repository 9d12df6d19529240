// Package top tests the screen of `sole top` from outside: the built programs on a real pseudo-terminal,
// with a terminal emulator for the eyes.
package top

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/early"
)

// patience is how long an event may take before a test gives up. Nothing waits for it to pass.
const patience = 20 * time.Second

var binary string // sole, with sole-top beside it

func TestMain(m *testing.M) {
	for _, v := range []string{"SOLE_DIR", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "COLUMNS", "LINES"} {
		os.Unsetenv(v)
	}
	os.Exit(withPrograms(m))
}

func withPrograms(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sole-top-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, p := range []string{"sole", "sole-top"} {
		args := []string{"build", "-o", filepath.Join(dir, p)}
		if p == "sole" {
			args = append(args, "-ldflags", "-E "+early.Entry)
		}
		c := exec.Command("go", append(args, "github.com/sole-run/sole/cmd/"+p)...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("go build: %v\n%s", err, out))
		}
	}
	binary = filepath.Join(dir, "sole")
	return m.Run()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// seat is somebody at a terminal.
type seat struct {
	*testing.T
	tty    *os.File
	slave  *os.File
	cmd    *exec.Cmd
	before unix.Termios
	ended  chan struct{}
	err    error

	mu  sync.Mutex
	emu *vt.Emulator
	raw bytes.Buffer

	asked sync.Mutex   // its own: the emulator answers while it is written to
	asks  bytes.Buffer // what the terminal answered to questions

	silent chan struct{} // the terminal answers no more
}

// sit starts a program at a terminal of that size.
func sit(t *testing.T, width, height int, env []string, name string, args ...string) *seat {
	t.Helper()
	tty, slave, err := pty.Open()
	must(t, err)
	must(t, pty.Setsize(tty, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}))
	s := &seat{T: t, tty: tty, slave: slave, emu: vt.NewEmulator(width, height), ended: make(chan struct{}), silent: make(chan struct{})}
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	must(t, err)
	s.before = *before
	s.cmd = exec.Command(name, args...)
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8"), env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, s.cmd.Start())
	go s.read()
	go func() { // an emulator that is not read from takes no more
		defer close(s.silent)
		buf := make([]byte, 1024)
		for {
			n, err := s.emu.Read(buf)
			s.asked.Lock()
			s.asks.Write(buf[:n])
			s.asked.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		tty.Close()
		slave.Close() // kept open so that the terminal outlives the program
		// Emulator.Close is not for use beside Read. The end of its input has Read return.
		if in, ok := s.emu.InputPipe().(io.Closer); ok {
			_ = in.Close()
		}
		<-s.silent
	})
	return s
}

func (s *seat) read() {
	buf := make([]byte, 1<<16)
	for {
		n, err := s.tty.Read(buf)
		s.mu.Lock()
		s.raw.Write(buf[:n])
		// The kernel makes of a newline what the emulator is to see.
		_, _ = s.emu.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// screen is what is seen.
func (s *seat) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.String()
}

func (s *seat) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

func (s *seat) alternate() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.IsAltScreen()
}

func (s *seat) typed(keys string) {
	s.Helper()
	_, err := s.tty.WriteString(keys)
	must(s, err)
}

// sees waits for a text on the screen.
func (s *seat) sees(text string) {
	s.Helper()
	end := time.Now().Add(patience)
	for !strings.Contains(s.screen(), text) {
		if time.Now().After(end) {
			s.Fatalf("no %q on the screen:\n%s", text, s.screen())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// leaves waits for the end of the program, and returns how it ended.
func (s *seat) leaves() syscall.WaitStatus {
	s.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.Fatalf("it did not end:\n%s", s.screen())
	}
	var exit *exec.ExitError
	if s.err != nil && !errors.As(s.err, &exit) {
		s.Fatal(s.err)
	}
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// clean checks that the terminal is as it was before.
func (s *seat) clean() {
	s.Helper()
	until(s, "the alternate screen is left", func() bool { return !s.alternate() })
	now, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	must(s, err)
	if *now != s.before {
		s.Errorf("the terminal was\n%+v and is\n%+v", s.before, *now)
	}
	until(s, "the cursor is shown", func() bool {
		out := s.output()
		return strings.LastIndex(out, "\x1b[?25h") > strings.LastIndex(out, "\x1b[?25l")
	})
	if out := s.output(); strings.LastIndex(out, "\x1b[?2004h") > strings.LastIndex(out, "\x1b[?2004l") {
		s.Error("pastes are still bracketed")
	}
}

// names is a directory of names.
type names struct {
	*testing.T
	dir string
}

func newNames(t *testing.T) *names {
	t.Helper()
	dir, err := os.MkdirTemp("", "sole-top-names-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &names{t, dir}
}

func (n *names) env(more ...string) []string { return append(more, "SOLE_DIR="+n.dir) }

// top sits down at sole top.
func (n *names) top(width, height int, env []string, args ...string) *seat {
	n.Helper()
	return sit(n.T, width, height, n.env(env...), binary, append([]string{"top", "--every", "100ms"}, args...)...)
}

// hold has a command hold a name until the test ends. It says when it has begun.
func (n *names) hold(name string, command ...string) *exec.Cmd {
	n.Helper()
	c := exec.Command(binary, append([]string{"run", name, "--"}, command...)...)
	c.Env = append(os.Environ(), n.env()...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := c.StdinPipe()
	must(n, err)
	out, err := c.StdoutPipe()
	must(n, err)
	must(n, c.Start())
	n.Cleanup(func() {
		in.Close()
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		n.Fatalf("the command of %s did not start: %v", name, err)
	}
	return c
}

// lives says that it is there, and lives until its input ends.
var lives = []string{"sh", "-c", "echo up; exec cat"}
