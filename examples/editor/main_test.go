//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second

// desk is a place where the editor runs.
type desk struct {
	*testing.T
	program, dir string
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, program: filepath.Join(t.TempDir(), "editor"), dir: t.TempDir()}
	build := exec.Command("go", "build", "-o", d.program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return d
}

// start starts an editor.
func (d *desk) start(words ...string) (*exec.Cmd, *bytes.Buffer) {
	d.Helper()
	c := exec.Command(d.program, words...)
	out := new(bytes.Buffer)
	c.Dir, c.Env, c.Stdout, c.Stderr = d.dir, append(os.Environ(), "SOLE_DIR="+filepath.Join(d.dir, "names")), out, os.Stderr
	if err := c.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = c.Process.Kill() })
	return c, out
}

// answer is what a start that is not the first prints.
func (d *desk) answer(code int, words ...string) string {
	d.Helper()
	c, out := d.start(words...)
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != code {
		d.Errorf("editor %q: exit code %d, not %d", words, got, code)
	}
	return out.String()
}

func TestTenAtOnce(t *testing.T) {
	d := newDesk(t)
	var last int
	for round := range 3 {
		first := d.tenAtOnce(round)
		if first.Process.Pid == last {
			t.Fatal("it was killed")
		}
		last = first.Process.Pid
		if round == 2 {
			d.answer(0, "quit")
			if err := first.wait(); err != nil {
				t.Error(err)
			}
			return
		}
		// Nothing is cleaned up: one of the next ten is the first.
		_ = first.Process.Kill()
		_ = first.wait()
	}
}

// running is an editor that goes on, and how to wait for it.
type running struct {
	*exec.Cmd
	wait func() error
}

// tenAtOnce starts ten editors: one is the first, nine are answered, and all have their file
// opened. It returns the first.
func (d *desk) tenAtOnce(round int) *running {
	d.Helper()
	type end struct {
		c   *exec.Cmd
		out *bytes.Buffer
		err error
	}
	ends := make(chan end, 10)
	wait := func() error { return (<-ends).err }
	left := map[*exec.Cmd]bool{}
	var want []string
	for i := range 10 {
		name := fmt.Sprintf("file-%d-%d", round, i)
		want = append(want, filepath.Join(d.dir, name))
		c, out := d.start("open", name)
		left[c] = true
		go func() { ends <- end{c, out, c.Wait()} }()
	}
	timeout := time.After(patience)
	var said []string
	for range 9 {
		select {
		case e := <-ends:
			if e.err != nil {
				d.Fatalf("a start that is not the first: %v", e.err)
			}
			said = append(said, e.out.String())
			delete(left, e.c)
		case <-timeout:
			d.Fatalf("%d have not been answered", len(left)-1)
		}
	}
	for first := range left {
		for _, s := range said {
			if s != fmt.Sprintf("open in pid %d\n", first.Process.Pid) {
				d.Errorf("pid %d is the first, and one was told: %q", first.Process.Pid, s)
			}
		}
		got := strings.Fields(d.answer(0, "list"))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			d.Errorf("open: %q\nnot:  %q", got, want)
		}
		return &running{first, wait}
	}
	d.Fatal("there is no first")
	return nil
}

func TestWordsAndInput(t *testing.T) {
	d := newDesk(t)
	first, _ := d.start("open", "a")
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(d.dir, "names", "example-editor.sock")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not listen")
		}
	}
	d.answer(2, "frobnicate")
	c := exec.Command(d.program, "insert")
	c.Env, c.Stdin = append(os.Environ(), "SOLE_DIR="+filepath.Join(d.dir, "names")), strings.NewReader("hello\n")
	if out, err := c.Output(); err != nil || string(out) != "6 bytes of text\n" {
		t.Errorf("%q, %v", out, err)
	}
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}
