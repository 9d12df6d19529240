package instance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sole-run/sole"
)

const (
	patienceOfTests = 20 * time.Second
	helperEnv       = "SOLE_INSTANCE_TEST_HELPER"
)

func TestMain(m *testing.M) {
	os.Unsetenv("SOLE_DIR")
	if dir := os.Getenv(helperEnv); dir != "" {
		serveUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// serveUntilKilled is a first in a process of its own.
func serveUntilKilled(dir string) {
	first, err := Start(context.Background(), "n", func(ctx context.Context, m *Message) error {
		fmt.Fprintln(m.Stdout, "handled")
		if len(m.Words) > 0 && m.Words[0] == "stay" {
			<-ctx.Done()
		}
		return nil
	}, Dir(dir))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("up")
	<-first.Done()
	_ = first.Close()
}

// startHelper starts one, and returns it when it serves.
func startHelper(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), helperEnv+"="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patienceOfTests)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, dir string, h Handler, opts ...Option) *First {
	t.Helper()
	first, err := Start(soon(t), "n", h, append(opts, Dir(dir))...)
	must(t, err)
	t.Cleanup(func() { _ = first.Close() })
	return first
}

func nothing(context.Context, *Message) error { return nil }

func TestALaterStartSendsWhatItHas(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CHOSEN", "a\nb")
	t.Setenv("OTHER", "x")
	first := start(t, dir, func(_ context.Context, m *Message) error {
		in, err := io.ReadAll(m.Stdin)
		fmt.Fprintf(m.Stdout, "%q %q %q %q", m.Words, m.Dir, m.Env, in)
		fmt.Fprintf(m.Stderr, "%v %v", m.PID == os.Getpid(), m.UID == os.Geteuid())
		return errors.Join(err, ExitCode(7))
	})
	if st, err := sole.Inspect("n", sole.Dir(dir)); err != nil || st.PID != os.Getpid() || st.Run != first.Run() || first.Name() != "n" {
		t.Errorf("%+v, %v", st, err)
	}
	wd, _ := os.Getwd()
	want := fmt.Sprintf("%q %q %q %q", []string{"", "a b"}, wd, []string{"CHOSEN=a\nb"}, "text")
	opts := []Option{Dir(dir), Words("", "a b"), Env("CHOSEN", "NOT_SET", ""), Stdin(strings.NewReader("text"))}
	_, err := Start(soon(t), "n", nothing, opts...)
	var a *AnsweredError
	if !errors.As(err, &a) || a.Code != 7 || string(a.Stdout) != want || string(a.Stderr) != "true true" || a.PID != os.Getpid() || a.Cut {
		t.Errorf("%+v, %v", a, err)
	}
	var out bytes.Buffer
	opts[3] = Stdin(strings.NewReader("text"))
	if _, err = Start(soon(t), "n", nothing, append(opts, Output(&out, nil))...); !errors.As(err, &a) || out.String() != want || a.Stdout != nil {
		t.Errorf("%v, %q", err, out.String())
	}
	// Looking at the socket first, no start was counted as a skip.
	if st, _ := sole.Inspect("n", sole.Dir(dir)); st.Skips != 0 {
		t.Errorf("%d skips", st.Skips)
	}
}

func TestFaultsOfHandlersAreContained(t *testing.T) {
	dir := t.TempDir()
	cause := make(chan error, 1)
	start(t, dir, func(ctx context.Context, m *Message) error {
		switch m.Words[0] {
		case "error":
			return errors.New("no such thing")
		case "panic":
			panic("oh")
		case "goexit":
			runtime.Goexit()
		case "code":
			return ExitCode(300)
		case "timeout":
			<-ctx.Done()
			cause <- context.Cause(ctx)
		case "deaf":
			<-time.After(patienceOfTests / 100) // heeds no context
			cause <- context.Cause(ctx)
		}
		return nil
	}, Timeout(30*time.Millisecond))
	send := func(words ...string) error {
		_, err := Send(soon(t), "n", words, Dir(dir))
		return err
	}
	for word, want := range map[string]Reason{"error": Failed, "panic": Panicked, "goexit": Panicked, "code": Failed, "timeout": TimedOut, "deaf": TimedOut} {
		var e *FailedError
		if err := send(word); !errors.As(err, &e) || e.Reason != want || e.Text == "" {
			t.Errorf("%s: %v", word, err)
		}
		if word == "timeout" || word == "deaf" {
			if err := <-cause; err != ErrTimeout {
				t.Errorf("%s: %v", word, err)
			}
		}
	}
	var e *FailedError
	if err := send(strings.Repeat("x", 2<<20)); !errors.As(err, &e) || e.Reason != TooLarge {
		t.Errorf("a huge word: %v", err)
	}
	if err := send(append([]string{"ok"}, make([]string, 5000)...)...); !errors.As(err, &e) || e.Reason != TooLarge {
		t.Errorf("many words: %v", err)
	}
	if err := send("a\x00b"); !errors.As(err, &e) || e.Reason != Refused {
		t.Errorf("NUL: %v", err)
	}
	if err := send("ok"); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}

func TestHugeAnswers(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, func(_ context.Context, m *Message) error {
		for range 300 {
			if _, err := m.Stdout.Write(make([]byte, 10_000)); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := Start(soon(t), "n", nothing, Dir(dir))
	var a *AnsweredError
	if !errors.As(err, &a) || len(a.Stdout) != maxKept || !a.Cut {
		t.Errorf("%v", err)
	}
	var out bytes.Buffer
	if code, err := Send(soon(t), "n", nil, Dir(dir), Output(&out, nil)); code != 0 || err != nil || out.Len() != 3_000_000 {
		t.Errorf("%d, %v, %d bytes", code, err, out.Len())
	}
}

func TestContextEndsWithTheSender(t *testing.T) {
	dir := t.TempDir()
	begun, cause := make(chan bool), make(chan error)
	start(t, dir, func(ctx context.Context, m *Message) error {
		begun <- true
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil
	})
	ctx, cancel := context.WithCancel(soon(t))
	go func() { <-begun; cancel() }()
	if _, err := Send(ctx, "n", nil, Dir(dir)); err != context.Canceled {
		t.Error(err)
	}
	if err := <-cause; err != ErrGone {
		t.Error(err)
	}
}

// The first stops from within a handler; the next start waits for its end, and is first.
func TestStopAndNext(t *testing.T) {
	dir := t.TempDir()
	var first *First
	ready := make(chan bool)
	first = start(t, dir, func(ctx context.Context, m *Message) error {
		<-ready
		first.Stop()
		fmt.Fprint(m.Stdout, "bye")
		return context.Cause(ctx)
	})
	close(ready)
	var e *FailedError
	if _, err := Send(soon(t), "n", nil, Dir(dir)); !errors.As(err, &e) || e.Text != ErrStopped.Error() {
		t.Error(err)
	}
	<-first.Done()
	if err := first.Cause(); err != ErrStopped {
		t.Error(err)
	}
	next := make(chan *First)
	go func() {
		f, err := Start(soon(t), "n", nothing, Dir(dir))
		if err != nil {
			t.Error(err)
		}
		next <- f
	}()
	for { // it stands in line
		if st, err := sole.Inspect("n", sole.Dir(dir)); err != nil || st.Waiters > 0 {
			break
		}
		runtime.Gosched()
	}
	must(t, first.Close())
	f := <-next
	if f == nil || f.Run() <= first.Run() {
		t.Fatal("no next")
	}
	must(t, f.Close())
	must(t, f.Close())
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

func TestContextOfStartAndStopRequestEndTheFirst(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(soon(t))
	first, err := Start(ctx, "n", nothing, Dir(dir))
	must(t, err)
	why := errors.New("why")
	cancel(why)
	<-first.Done()
	if first.Cause() != why {
		t.Error(first.Cause())
	}
	must(t, first.Close())

	first = start(t, dir, nothing)
	ask(t, dir, "stop")
	<-first.Done()
	must(t, first.Close())
}

// SIGKILL of the first at any moment: whoever starts is answered, is first, or knows that its
// message may be lost; never hangs, and there is nothing to clean.
func TestFirstIsKilled(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		c := startHelper(t, dir)
		var out bytes.Buffer
		if code, err := Send(soon(t), "n", []string{"x"}, Dir(dir), Output(&out, nil)); code != 0 || err != nil || out.String() != "handled\n" {
			t.Fatalf("%d, %v, %q", code, err, out.String())
		}
		// Killed while it handles a message: the sender is told that it may be lost.
		w := killer{Cmd: c}
		_, err := Send(soon(t), "n", []string{"stay"}, Dir(dir), Output(&w, nil))
		var lost *LostError
		if !errors.As(err, &lost) {
			t.Fatal(err)
		}
		_ = c.Wait()
		if _, err := os.Lstat(filepath.Join(dir, "n.sock")); err != nil {
			t.Error("the test is void: a killed first leaves its socket")
		}
		if _, err := Send(soon(t), "n", nil, Dir(dir)); err != sole.ErrFree {
			t.Error(err)
		}
	}
	first := start(t, dir, nothing)
	must(t, first.Close())
}

// killer kills when it is written to.
type killer struct{ *exec.Cmd }

func (k *killer) Write(p []byte) (int, error) { return len(p), k.Process.Kill() }

// Many start while firsts are killed: each ends up somewhere, and there is never a second first.
func TestStartsWhileFirstsAreKilled(t *testing.T) {
	dir := t.TempDir()
	for range 10 {
		c := startHelper(t, dir)
		var wg sync.WaitGroup
		var mu sync.Mutex
		firsts, answers := 0, 0
		gate := make(chan bool)
		for range 8 {
			wg.Go(func() {
				<-gate
				first, err := Start(soon(t), "n", nothing, Dir(dir))
				var a *AnsweredError
				var lost *LostError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					firsts++
					t.Cleanup(func() { _ = first.Close() })
				case errors.As(err, &a), errors.As(err, &lost):
					answers++
				default:
					t.Error(err)
				}
			})
		}
		close(gate)
		_ = c.Process.Kill()
		_ = c.Wait()
		wg.Wait()
		if firsts > 1 || firsts+answers != 8 {
			t.Fatalf("%d firsts, %d answers", firsts, answers)
		}
		if firsts == 1 {
			ask(t, dir, "stop")
			return
		}
	}
	t.Error("nobody became the first in ten rounds")
}

func TestStoppedFirst(t *testing.T) {
	dir := t.TempDir()
	c := startHelper(t, dir)
	must(t, c.Process.Signal(syscall.SIGSTOP))
	var ws syscall.WaitStatus
	_, err := syscall.Wait4(c.Process.Pid, &ws, syscall.WUNTRACED, nil)
	must(t, err)
	var e *NoAnswerError
	if _, err := Start(soon(t), "n", nothing, Dir(dir), Patience(50*time.Millisecond)); !errors.As(err, &e) || e.Holder.PID != c.Process.Pid || e.Err == nil {
		t.Error(err)
	}
	must(t, c.Process.Signal(syscall.SIGCONT))
	if _, err := Send(soon(t), "n", nil, Dir(dir)); err != nil {
		t.Error(err)
	}
}

func TestHolderThatIsNoInstance(t *testing.T) {
	dir := t.TempDir()
	lock, err := sole.TryAcquire("n", sole.Dir(dir))
	must(t, err)
	defer lock.Release()
	var e *NoAnswerError
	if _, err := Start(soon(t), "n", nothing, Dir(dir), Patience(50*time.Millisecond)); !errors.As(err, &e) || e.Holder.PID != os.Getpid() || e.Err != nil {
		t.Error(err)
	}
	if _, err := Send(soon(t), "n", nil, Dir(dir), Patience(50*time.Millisecond)); !errors.As(err, &e) || e.Holder.PID != os.Getpid() {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Start(ctx, "n", nothing, Dir(dir)); err != context.Canceled {
		t.Error(err)
	}
}

// The lock file is deleted, and a start gets the lock: it finds the first by its socket.
func TestDeletedLockFile(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, nothing)
	must(t, os.Remove(filepath.Join(dir, "n.lock")))
	var a *AnsweredError
	if _, err := Start(soon(t), "n", nothing, Dir(dir)); !errors.As(err, &a) {
		t.Error(err)
	}
	for end := time.Now().Add(patienceOfTests); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "n.lock")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it was not put back")
		}
	}
	must(t, first.Close())
}

func TestPlacesAndNamesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	var name *sole.NameError
	if _, err := Start(soon(t), "../n", nothing, Dir(dir)); !errors.As(err, &name) {
		t.Error(err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "n.sock"), nil, 0o600))
	var unsafe *sole.UnsafeError
	if _, err := Start(soon(t), "n", nothing, Dir(dir)); !errors.As(err, &unsafe) {
		t.Error(err)
	}
	if _, err := Send(soon(t), "n", nil, Dir(dir)); !errors.As(err, &unsafe) {
		t.Error(err)
	}
	// A socket of a stranger is not spoken to, nor replaced.
	if os.Geteuid() != 0 {
		return
	}
	must(t, os.Remove(filepath.Join(dir, "n.sock")))
	must(t, syscall.Mknod(filepath.Join(dir, "n.sock"), syscall.S_IFSOCK|0o600, 0))
	must(t, os.Chown(filepath.Join(dir, "n.sock"), 65534, 65534))
	if _, err := Start(soon(t), "n", nothing, Dir(dir)); !errors.As(err, &unsafe) {
		t.Error(err)
	}
}

// Nothing is left when it is closed.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	before := runtime.NumGoroutine()
	for range 3 {
		first := start(t, dir, nothing)
		for range 5 {
			_, err := Send(soon(t), "n", []string{"x"}, Dir(dir))
			must(t, err)
		}
		must(t, first.Close())
	}
	for end := time.Now().Add(patienceOfTests); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
