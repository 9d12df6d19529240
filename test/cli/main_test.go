// Package cli tests the command line from end to end: it builds the program once and
// looks at it only from outside, as a shell, cron or a person does.
package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/early"
)

const helperEnv = "SOLE_CLI_TEST_HELPER"

// nobody is a user who owns nothing on the host.
const nobody = 65534

// patience is how long an event may take before a test gives up. Nothing waits for
// it to pass.
const patience = 20 * time.Second

var (
	binary string // the program under test
	// plainBinary is the same, linked without the early entry point.
	plainBinary string
	helper      string // this test binary, for its helper processes
)

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "signals":
		reportSignals(reported...)
	case "every":
		reportSignals()
	case "instance":
		serveInstance()
		return
	case "root":
		becomeRoot()
		return
	case "witness":
		witness(os.Args[1], os.Args[2])
		return
	case "inotify":
		takeInotify()
		return
	}
	os.Exit(withBinary(m))
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sole-cli-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		panic(err)
	}
	binary = build(filepath.Join(dir, "sole"), earlyFlag)
	plainBinary = build(filepath.Join(dir, "sole-plain"), "")
	if helper, err = os.Executable(); err != nil {
		panic(err)
	}
	// What is around the tests must not leak in.
	for _, v := range os.Environ() {
		if k, _, _ := strings.Cut(v, "="); strings.HasPrefix(k, "SOLE_") && k != "SOLE_LONG" {
			os.Unsetenv(k)
		}
	}
	return m.Run()
}

// earlyFlag is what the Makefile gives to the linker too.
const earlyFlag = "-E " + early.Entry

// build links the program, and returns its path.
func build(path, ldflags string) string {
	c := exec.Command("go", "build", "-ldflags", ldflags, "-o", path, "github.com/sole-run/sole/cmd/sole")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	return path
}

var reported = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1,
	syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP,
}

// reportSignals prints a line for each of these signals that comes, of all without any,
// until standard input ends.
func reportSignals(which ...os.Signal) {
	c := make(chan os.Signal, 100)
	signal.Notify(c, which...)
	fmt.Printf("up %d\n", os.Getpid())
	go func() {
		for s := range c {
			if s == syscall.SIGURG { // the Go runtime's own
				continue
			}
			fmt.Printf("got %d.\n", s.(syscall.Signal))
		}
	}()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	os.Exit(5)
}

// becomeRoot, in a set-user-ID program, makes this a process that its starter may not
// signal, and lives until standard input ends.
func becomeRoot() {
	if err := syscall.Setresuid(0, 0, 0); err != nil {
		panic(err)
	}
	fmt.Printf("up %d\n", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
	}
}

// box is a directory of names, and a place for other files beside it.
type box struct {
	*testing.T
	dir  string // SOLE_DIR
	work string
	env  []string
	bin  string // the program under test
	uid  int    // who runs sole, -1: the tester
}

func newBox(t *testing.T) *box { return newBoxFor(t, -1) }

// newBoxFor makes a box that belongs to uid. t.TempDir would be closed to it.
func newBoxFor(t *testing.T, uid int) *box {
	t.Helper()
	work, err := os.MkdirTemp("", "sole-cli-box-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	b := &box{T: t, work: work, dir: filepath.Join(work, "names"), bin: binary, uid: uid}
	must(t, os.Mkdir(b.dir, 0o700))
	if uid >= 0 {
		must(t, os.Chown(work, uid, uid))
		must(t, os.Chown(b.dir, uid, uid))
	}
	return b
}

// warm lets the names run once, so that the next start of each can be done before the
// Go runtime starts (internal/early).
func (b *box) warm(names ...string) *box {
	b.Helper()
	for _, n := range names {
		b.takes(n)
	}
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need returns the path of a program that a Debian package brings.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	p, err := exec.LookPath(program)
	if err == nil {
		return p
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: apt-get install %s", program, pkg)
	}
	t.Skipf("%s is missing: apt-get install %s", program, pkg)
	return ""
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// command is any program, with this box's SOLE_DIR.
func (b *box) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = b.work
	c.Env = append(append(os.Environ(), "SOLE_DIR="+b.dir), b.env...)
	if b.uid >= 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(b.uid), Gid: uint32(b.uid)}}
	}
	return c
}

func (b *box) sole(args ...string) *exec.Cmd { return b.command(b.bin, args...) }

type outcome struct {
	code           int // -1: ended by a signal
	signal         syscall.Signal
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d, signal %d\nstdout: %q\nstderr: %q", o.code, o.signal, o.stdout, o.stderr)
}

// finish runs a command to its end.
func (b *box) finish(c *exec.Cmd) outcome {
	b.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	must(b, c.Start())
	t := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	err := c.Wait()
	if !t.Stop() {
		b.Errorf("%q did not end within %s", c.Args, patience)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return outcome{code: c.ProcessState.ExitCode(), signal: signalOf(c), stdout: out.String(), stderr: errs.String()}
}

func signalOf(c *exec.Cmd) syscall.Signal {
	if ws := c.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return ws.Signal()
	}
	return 0
}

// run is sole, run to its end.
func (b *box) run(args ...string) outcome {
	b.Helper()
	return b.finish(b.sole(args...))
}

// expect runs sole and checks its exit code.
func (b *box) expect(code int, args ...string) outcome {
	b.Helper()
	o := b.run(args...)
	if o.code != code {
		b.Fatalf("sole %q: want exit %d, got %v", args, code, o)
	}
	return o
}

// status is sole status --json.
type status struct {
	Name, State, User, Path, Method, Cwd string
	PID                                  int `json:"pid"`
	ChildPID                             int `json:"child_pid"`
	Orphaned, Elsewhere                  bool
	Run                                  uint64
	Skips                                int64
	Waiters                              int
	Command                              []string
	Leftover                             []int
	Seconds                              float64
	Mode                                 string
	Slot                                 int
	Replaced                             uint64
	Others                               []status
	Waiting                              []waiting
	Usual                                float64 `json:"usual_seconds"`
}

// waiting is one of those who wait.
type waiting struct {
	PID     int `json:"pid"`
	For     string
	Seconds float64
	Stopped bool
	Command []string
}

// holders are all who hold the name.
func (st status) holders() []status { return append([]status{st}, st.Others...) }

func (b *box) status(name string) status {
	b.Helper()
	o := b.run("status", "--json", name)
	var st status
	if err := json.Unmarshal([]byte(o.stdout), &st); err != nil {
		b.Fatalf("status: %v: %v", err, o)
	}
	if want := map[string]int{"held": 0, "free": 3}[st.State]; o.code != want {
		b.Errorf("status of a name that is %s: %v", st.State, o)
	}
	return st
}

// held is a started sole whose command has said its first line.
type held struct {
	*exec.Cmd
	b      *box
	first  string // the command's first line
	pid    int    // the pid in the first line
	stdin  *os.File
	stdout *bufio.Reader
	stderr *bufio.Reader
	waited bool
}

// holdScript says its pid and lives until its standard input ends.
const holdScript = `echo up $$; exec cat >/dev/null`

// hold has a command hold the name until its standard input is closed.
func (b *box) hold(args ...string) *held {
	b.Helper()
	return b.start(b.sole(append(append([]string{"run"}, args...), "--", "sh", "-c", holdScript)...))
}

// start starts a command in a process group of its own, and waits for its first line. The
// tests' group may be an orphaned one, in which no process stops by SIGTSTP (setpgid(2)).
func (b *box) start(c *exec.Cmd) *held {
	b.Helper()
	inR, inW, err := os.Pipe()
	must(b, err)
	outR, outW, err := os.Pipe()
	must(b, err)
	errR, errW, err := os.Pipe()
	must(b, err)
	c.Stdin, c.Stdout, c.Stderr = inR, outW, errW
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	must(b, c.Start())
	inR.Close()
	outW.Close()
	errW.Close()
	must(b, outR.SetReadDeadline(time.Now().Add(patience)))
	must(b, errR.SetReadDeadline(time.Now().Add(patience)))
	h := &held{Cmd: c, b: b, stdin: inW, stdout: bufio.NewReader(outR), stderr: bufio.NewReader(errR)}
	b.Cleanup(func() {
		inW.Close()
		if !h.waited {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
		outR.Close()
		errR.Close()
	})
	h.first = h.line()
	if word, n, ok := strings.Cut(strings.TrimSpace(h.first), " "); ok && word == "up" {
		h.pid, _ = strconv.Atoi(n)
	}
	if h.pid == 0 {
		errR.SetReadDeadline(time.Now().Add(time.Second))
		said, _ := h.stderr.ReadString('\n')
		b.Fatalf("%q began with %q, and said %q", c.Args, h.first, said)
	}
	return h
}

// line reads a line of the command's standard output.
func (h *held) line() string {
	h.b.Helper()
	s, err := h.stdout.ReadString('\n')
	if err != nil && s != "" {
		h.b.Fatalf("read: %v", err)
	}
	return s
}

// wait waits for the end of sole.
func (h *held) wait() outcome {
	h.b.Helper()
	t := time.AfterFunc(patience, func() { _ = h.Process.Kill() })
	_ = h.Cmd.Wait()
	h.waited = true
	if !t.Stop() {
		h.b.Errorf("%q did not end within %s", h.Args, patience)
	}
	return outcome{code: h.ProcessState.ExitCode(), signal: signalOf(h.Cmd)}
}

// release has the command end, and waits for the end of sole.
func (h *held) release() outcome {
	h.b.Helper()
	h.stdin.Close()
	return h.wait()
}

// launched is a started command that need not have said anything yet.
type launched struct {
	*exec.Cmd
	b         *box
	out, errs *os.File
	done      chan struct{}
}

// launch starts a command, and leaves it alone.
func (b *box) launch(c *exec.Cmd) *launched {
	b.Helper()
	l := &launched{Cmd: c, b: b, done: make(chan struct{})}
	var err error
	l.out, err = os.CreateTemp(b.work, "out")
	must(b, err)
	l.errs, err = os.CreateTemp(b.work, "err")
	must(b, err)
	c.Stdout, c.Stderr = l.out, l.errs
	must(b, c.Start())
	go func() { _ = c.Wait(); close(l.done) }()
	b.Cleanup(func() {
		select {
		case <-l.done:
		default:
			_ = c.Process.Kill()
			<-l.done
		}
		l.out.Close()
		l.errs.Close()
	})
	return l
}

// ended reports whether it has ended.
func (l *launched) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// wait waits for its end.
func (l *launched) wait() outcome {
	l.b.Helper()
	select {
	case <-l.done:
	case <-time.After(patience):
		l.b.Fatalf("%q did not end within %s", l.Args, patience)
	}
	return outcome{code: l.ProcessState.ExitCode(), signal: signalOf(l.Cmd), stdout: l.said(l.out), stderr: l.said(l.errs)}
}

// said is what it has written by now.
func (l *launched) said(f *os.File) string {
	s, err := os.ReadFile(f.Name())
	must(l.b, err)
	return string(s)
}

// freeze stops a child of the test, and waits until it has stopped.
func (b *box) freeze(p *os.Process) {
	b.Helper()
	must(b, p.Signal(syscall.SIGSTOP))
	b.eventually("it is stopped", func() bool { return procState(p.Pid) == 'T' })
}

// waiters waits until so many wait for the name.
func (b *box) waiters(name string, n int) status {
	b.Helper()
	var st status
	b.eventually(fmt.Sprintf("%d wait for %s", n, name), func() bool {
		st = b.status(name)
		return st.Waiters == n
	})
	return st
}

// file's contents, word by word, none if it is missing.
func (b *box) words(name string) []string {
	s, _ := os.ReadFile(b.file(name))
	return strings.Fields(string(s))
}

// free waits until the name can be taken, and takes it for a moment.
func (b *box) takes(name string) {
	b.Helper()
	if o := b.run("run", name, "--", "true"); o.code != 0 {
		b.Fatalf("%s cannot be taken: %v", name, o)
	}
}

// skips checks that a start is refused.
func (b *box) skips(name string) outcome {
	b.Helper()
	o := b.run("run", name, "--", "touch", b.file("witness"))
	if o.code != 75 {
		b.Fatalf("a second start of %s: %v", name, o)
	}
	b.notRun()
	return o
}

// notRun checks that no command left its witness.
func (b *box) notRun() {
	b.Helper()
	if _, err := os.Lstat(b.file("witness")); err == nil {
		b.Fatal("the command was run")
	}
}

func (b *box) file(name string) string { return filepath.Join(b.work, name) }

func (b *box) lockFile(name string) string { return filepath.Join(b.dir, name+".lock") }

// eventually polls for what nobody announces.
func (b *box) eventually(what string, ok func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			b.Fatalf("not within %s: %s", patience, what)
		}
		pause()
	}
}

func pause() {
	t := time.NewTimer(5 * time.Millisecond)
	<-t.C
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	s := procState(pid)
	return s != 0 && s != 'Z' && s != 'X'
}

// procState is the letter in /proc/PID/stat, 0 if there is no such process.
func procState(pid int) byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
}

// fifo makes a FIFO in the box.
func (b *box) fifo(name string) string {
	b.Helper()
	must(b, syscall.Mkfifo(b.file(name), 0o600))
	return b.file(name)
}

// mustContain checks what was said.
func mustContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in %q", p, text)
		}
	}
}
