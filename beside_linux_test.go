package sole

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Whatever the method is, and also if a start is refused: Release leaves neither a
// descriptor nor a goroutine nor a file.
func TestNothingIsLeftOpen(t *testing.T) {
	dir := t.TempDir()
	use := func(method string) {
		pid := dir + "/x.pid"
		l, err := TryAcquire("n", Dir(dir), Method(method), PidFile(pid))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.SetChild(os.Getpid()); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"n", "other"} {
			var busy *BusyError
			if _, err := TryAcquire(name, Dir(dir), Method(method), PidFile(pid)); !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := errors.Join(l.Check(), l.Release(), l.Release()); err != nil {
			t.Error(err)
		}
	}
	methods := []string{"", MethodFlock, MethodPidFile, MethodSocket, MethodAbstract}
	for _, m := range methods {
		use(m)
	}
	files, routines := openFiles(t), runtime.NumGoroutine()
	for range 5 {
		for _, m := range methods {
			use(m)
		}
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d descriptors, then %d", files, now)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > routines; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, then %d", routines, runtime.NumGoroutine())
		}
	}
	left, err := filepath.Glob(dir + "/*")
	if err != nil || len(left) != 2 { // n.lock, other.lock
		t.Errorf("%v, %v", left, err)
	}
	if hidden, _ := filepath.Glob(dir + "/.*"); len(hidden) > 0 {
		t.Errorf("%v", hidden)
	}
}

func TestMethodOptions(t *testing.T) {
	dir := t.TempDir()
	for _, opts := range [][]Option{
		{Method("pid")}, {Method("FLOCK")}, {Method("\x00")},
		{Method(MethodPidFile), Shared()}, {Method(MethodSocket), Slots(2)}, {Method(MethodAbstract), Shared()},
		{PidFile(dir + "/x"), Shared()}, {PidFile(dir + "/x"), Slots(1)},
		{Descriptor(0, os.Getpid()), Method(MethodSocket)}, {Descriptor(0, os.Getpid()), PidFile(dir + "/x")},
	} {
		var bad *OptionError
		if _, err := TryAcquire("n", append(opts, Dir(dir))...); !errors.As(err, &bad) {
			t.Errorf("%v", err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v", left)
	}
}

// A pid file that was lost is an error of Check and Release; the name is held, and freed.
func TestLostPidFileIsNoticed(t *testing.T) {
	dir := t.TempDir()
	l, err := TryAcquire("n", Dir(dir), Method(MethodPidFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/n.pid", []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{l.Check(), l.SetChild(os.Getpid()), l.Release()} {
		var lost *PidFileError
		if !errors.As(err, &lost) || !lost.Lost {
			t.Errorf("%v", err)
		}
	}
	if text, err := os.ReadFile(dir + "/n.pid"); string(text) != "1\n" {
		t.Errorf("%q, %v", text, err)
	}
	// It is another program's by now, and pid 1 lives.
	var busy *BusyError
	if _, err := TryAcquire("n", Dir(dir), Method(MethodPidFile)); !errors.As(err, &busy) || !busy.Unverified {
		t.Errorf("%v", fmt.Sprint(err))
	}
}
