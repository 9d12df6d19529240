package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/top"
)

// broken is a source with a bug.
type broken struct{}

func (broken) Look(bool) top.Snapshot                                         { panic("broken as asked") }
func (broken) Inspect(string) (sole.Status, error)                            { panic("broken") }
func (broken) Log(string, int) ([]history.Entry, error)                       { panic("broken") }
func (broken) Stop(context.Context, sole.Status, time.Duration) (bool, error) { panic("broken") }
func (broken) Signal(sole.Status, syscall.Signal) error                       { panic("broken") }
func (broken) Explain(error) string                                           { panic("broken") }

func TestMain(m *testing.M) {
	if os.Getenv("SOLE_TOP_TEST") == "panic" {
		os.Exit(show(top.New(broken{}, top.Options{Every: time.Second})))
	}
	os.Exit(m.Run())
}

// A bug leaves the terminal as it was, and is told.
func TestPanicLeavesTheTerminalClean(t *testing.T) {
	tty, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "SOLE_TOP_TEST=panic", "TERM=xterm")
	c.Stdin, c.Stdout, c.Stderr = slave, slave, slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		var all strings.Builder
		buf := make([]byte, 4096)
		for !strings.Contains(all.String(), "a bug in sole") {
			n, err := tty.Read(buf)
			all.Write(buf[:n])
			if err != nil {
				break
			}
		}
		said <- all.String()
	}()
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitBug {
		t.Errorf("exit %d", code)
	}
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal was\n%+v and is\n%+v", before, after)
	}
	slave.Close()
	out := <-said
	if !strings.Contains(out, "broken as asked") || strings.LastIndex(out, "\x1b[?1049l") < strings.LastIndex(out, "\x1b[?1049h") {
		t.Errorf("%q", out)
	}
}
