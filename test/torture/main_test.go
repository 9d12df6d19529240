//go:build linux

// Package torture kills, races and misleads sole from outside, and has witnesses
// of its own for what it finds. The short form runs by default, the long one with
// SOLE_FULL=1 or DURATION.
package torture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/early"
	"github.com/sole-run/sole/internal/record"
)

// soleBin is the program under test.
var soleBin string

func TestMain(m *testing.M) {
	if os.Getenv("TORTURE_LOOK") != "" {
		os.Exit(lookUntilEOF())
	}
	if os.Getenv(waitThenLine) != "" {
		os.Exit(waitInProcess())
	}
	if os.Getenv(witnessDir) != "" {
		os.Exit(standWitness())
	}
	os.Exit(build(m))
}

func build(m *testing.M) int {
	tmp, err := os.MkdirTemp("", "sole-torture")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(tmp)
	soleBin = filepath.Join(tmp, "sole")
	c := exec.Command("go", "build", "-ldflags", "-E "+early.Entry, "-o", soleBin, "github.com/sole-run/sole/cmd/sole")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		return 1
	}
	return m.Run()
}

// full reports whether the long form was asked for.
func full() bool { return os.Getenv("SOLE_FULL") == "1" || os.Getenv("DURATION") != "" }

// repeat calls do at least count times: short in the short form, long in the long
// one, and then until DURATION is over.
func repeat(t *testing.T, short, long int, do func(i int)) int {
	t.Helper()
	count := short
	if full() {
		count = long
	}
	var end time.Time
	if d, err := time.ParseDuration(os.Getenv("DURATION")); err == nil {
		end = time.Now().Add(d)
		count = 0
	}
	i := 0
	for ; (i < count || time.Now().Before(end)) && !t.Failed(); i++ {
		do(i)
	}
	return i
}

// stuck is how long anything may take before it counts as hanging.
const stuck = 60 * time.Second

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(program + " is missing")
	}
}

// pipe returns a pipe whose ends are closed with the test.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// result is how a process ended.
type result struct {
	code   int // -1 if a signal killed it
	signal string
	stdout string
	stderr string
}

// sole runs one sole command to its end.
func runSole(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return runCmd(t, soleCmd(dir, args...))
}

func soleCmd(dir string, args ...string) *exec.Cmd {
	c := exec.Command(soleBin, args...)
	c.Env = append(os.Environ(), "SOLE_DIR="+dir)
	return c
}

func runCmd(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	c.WaitDelay = stuck
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(stuck, func() { c.Process.Kill(); t.Errorf("%v hangs", c.Args) })
	defer timer.Stop()
	r := ended(c.Wait())
	r.stdout, r.stderr = out.String(), errs.String()
	return r
}

func ended(err error) result {
	var e *exec.ExitError
	switch {
	case err == nil:
		return result{}
	case errors.As(err, &e) && e.ExitCode() < 0:
		return result{code: -1, signal: e.String()}
	case errors.As(err, &e):
		return result{code: e.ExitCode()}
	}
	return result{code: -1, signal: err.Error()}
}

// status is what `sole status --json` says.
func status(t *testing.T, dir, name string) sole.Status {
	t.Helper()
	r := runSole(t, dir, "status", "--json", name)
	var st sole.Status
	if err := json.Unmarshal([]byte(r.stdout), &st); err != nil {
		t.Fatalf("status: exit %d, %q, %q: %v", r.code, r.stdout, r.stderr, err)
	}
	if held := st.State == sole.Held; held != (r.code == 0) || held == (r.code == 3) {
		t.Errorf("status says %s and exits with %d", st.State, r.code)
	}
	return st
}

// verify makes a start that must get in, and returns its run number.
func verify(t *testing.T, dir, name string) uint64 {
	t.Helper()
	r := runSole(t, dir, "run", name, "--", "/bin/sh", "-c", "echo $SOLE_RUN")
	n, err := strconv.ParseUint(strings.TrimSpace(r.stdout), 10, 64)
	if r.code != 0 || err != nil {
		t.Fatalf("a start on a free name: exit %d %s, %q, %q", r.code, r.signal, r.stdout, r.stderr)
	}
	return n
}

// decode reads the record of a lock file.
func decode(path string) (record.Record, record.State, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return record.Record{}, 0, err
	}
	return record.Decode(b[min(len(b), record.HeaderSize):])
}

// lines returns the lines of a file, none if it is missing.
func lines(path string) []string {
	b, _ := os.ReadFile(path)
	return strings.Fields(string(b))
}

// exited waits on a pidfd until its process has ended.
func exited(t *testing.T, pidfd int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(stuck.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("a killed process does not end: %v", err)
		}
		return
	}
}
