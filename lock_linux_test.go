package sole_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole"
)

func acquire(t *testing.T, name string, opts ...sole.Option) *sole.Lock {
	t.Helper()
	l, err := sole.TryAcquire(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}

func TestHandedToAChild(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	l := acquire(t, "a", dir)
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat")
	cmd.ExtraFiles = []*os.File{f}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = cmd.Wait() }()
	_ = f.Close()
	if err := l.SetChild(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	st, err := sole.Inspect("a", dir)
	if err != nil || st.ChildPID != cmd.Process.Pid || st.PID != os.Getpid() {
		t.Errorf("%+v, %v", st, err)
	}
	// The child still has the descriptor; the name is free all the same.
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if st, err := sole.Inspect("a", dir); err != nil || st.State != sole.Free {
		t.Errorf("%+v, %v", st, err)
	}
	_ = acquire(t, "a", dir).Release()
}

func TestRunNumbersGrow(t *testing.T) {
	path := t.TempDir()
	dir := sole.Dir(path)
	last := uint64(0)
	step := func(what string) {
		t.Helper()
		l := acquire(t, "a", dir)
		if l.Run() <= last {
			t.Errorf("%s: run %d after %d", what, l.Run(), last)
		}
		last = l.Run()
		_ = l.Release()
	}
	for range 100 {
		step("again")
	}
	if removed, err := sole.Clean(dir); err != nil || len(removed) != 1 {
		t.Fatalf("%v, %v", removed, err)
	}
	step("after clean")
	file := filepath.Join(path, "a.lock")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A power cut in the middle of a record: the header's sector has survived.
	copy(b[600:], make([]byte, 900))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	step("after a damaged record")
	// Another boot: what was written last may be lost.
	if b, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	before := last
	for range 10 {
		step("before the crash")
	}
	lost := last
	if err := os.WriteFile(file, otherBoot(b), 0o600); err != nil {
		t.Fatal(err)
	}
	step("after a crash of the host")
	if before >= lost || last <= lost {
		t.Errorf("run %d after the crash, %d before", last, lost)
	}
}

func TestDeletedFileIsPutBack(t *testing.T) {
	for what, disturb := range map[string]func(path string) error{
		"deleted": os.Remove,
		"replaced": func(path string) error {
			if err := os.WriteFile(path+"~", []byte("x\n"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+"~", path)
		},
		"moved away":        func(path string) error { return os.Rename(path, path+"~") },
		"directory deleted": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		dir := sole.Dir(filepath.Join(t.TempDir(), "d"))
		l := acquire(t, "a", dir)
		if err := l.Check(); err != nil {
			t.Fatalf("%s: undisturbed: %v", what, err)
		}
		if err := disturb(l.Path()); err != nil {
			t.Fatal(err)
		}
		var e *sole.DisturbedError
		if err := l.Check(); !errors.As(err, &e) || !e.Restored {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if err := l.Check(); err != nil {
			t.Errorf("%s: again: %v", what, err)
		}
		st, err := sole.Inspect("a", dir)
		if err != nil || st.State != sole.Held || st.PID != os.Getpid() || st.Run != l.Run() {
			t.Errorf("%s: %+v, %v", what, st, err)
		}
		var busy *sole.BusyError
		if _, err := sole.TryAcquire("a", dir); !errors.As(err, &busy) {
			t.Errorf("%s: a second holder: %v", what, err)
		}
		_ = l.Release()
		if err := acquire(t, "a", dir).Release(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestDo(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	oops := errors.New("oops")
	err := sole.Do(t.Context(), "a", func(ctx context.Context) error {
		if st, err := sole.Inspect("a", dir); err != nil || st.State != sole.Held {
			t.Errorf("%+v, %v", st, err)
		}
		return oops
	}, dir)
	if !errors.Is(err, oops) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = sole.Do(t.Context(), "a", func(context.Context) error { panic("x") }, dir)
	}()
	if st, err := sole.Inspect("a", dir); err != nil || st.State != sole.Free {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestFilesTakePart(t *testing.T) {
	dir, file := sole.Dir(t.TempDir()), t.TempDir()+"/f"
	a := acquire(t, "a", dir, sole.File(file))
	var busy *sole.BusyError
	if _, err := sole.TryAcquire("b", dir, sole.File(file)); !errors.As(err, &busy) || busy.File != file {
		t.Fatalf("%v", err)
	}
	if busy.Holder.PID != os.Getpid() {
		t.Errorf("%+v", busy.Holder)
	}
	if st, _ := sole.Inspect("b", dir); st.State != sole.Free {
		t.Error("b is held although its file was not to be had")
	}
	_ = a.Release()
	_ = acquire(t, "b", dir, sole.File(file)).Release()
	if b, err := os.ReadFile(file); err != nil || len(b) != 0 {
		t.Errorf("%q, %v", b, err)
	}
}

func TestWaitSeesTheEnd(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	l := acquire(t, "a", dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := sole.Wait(ctx, "a", dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- sole.Wait(t.Context(), "a", dir) }()
	_ = l.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := sole.Wait(t.Context(), "a", dir); err != nil {
		t.Fatal(err)
	}
}

func TestBadNames(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	for _, n := range []string{"", "../x", "-x", strings.Repeat("x", 129)} {
		var bad *sole.NameError
		if _, err := sole.TryAcquire(n, dir); !errors.As(err, &bad) {
			t.Errorf("%q: %v", n, err)
		}
		if _, err := sole.Inspect(n, dir); !errors.As(err, &bad) {
			t.Errorf("%q: %v", n, err)
		}
	}
}

// otherBoot makes a lock file's contents look as if an earlier boot had left them.
func otherBoot(b []byte) []byte {
	const at = 512
	head, body, _ := strings.Cut(string(b[at:at+2048]), "\n")
	i := strings.Index(body, "boot ") + len("boot ")
	body = body[:i] + "00000000-0000-4000-8000-000000000000" + body[i+36:]
	head = head[:len(head)-8] + fmt.Sprintf("%08x", crc32Of(body))
	return append(append(append([]byte{}, b[:at]...), head+"\n"+body...), b[at+2048:]...)
}

func ExampleTryAcquire() {
	dir, _ := os.MkdirTemp("", "sole")
	defer os.RemoveAll(dir)

	lock, err := sole.TryAcquire("nightly", sole.Dir(dir))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lock.Release()

	_, err = sole.TryAcquire("nightly", sole.Dir(dir))
	var busy *sole.BusyError
	fmt.Println(errors.As(err, &busy), busy.Holder.PID == os.Getpid(), lock.Run())
	// Output: true true 1
}

func ExampleDo() {
	dir, _ := os.MkdirTemp("", "sole")
	defer os.RemoveAll(dir)

	err := sole.Do(context.Background(), "nightly", func(ctx context.Context) error {
		fmt.Println("the only one")
		return nil
	}, sole.Dir(dir))
	fmt.Println(err)
	// Output:
	// the only one
	// <nil>
}

func ExampleInspect() {
	dir, _ := os.MkdirTemp("", "sole")
	defer os.RemoveAll(dir)

	st, err := sole.Inspect("nightly", sole.Dir(dir))
	fmt.Println(st.State, err)
	// Output: free <nil>
}
