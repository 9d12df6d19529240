package sole_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sole-run/sole"
)

// lend starts a process that has the lock file of "a" open, as this one has.
func lend(t *testing.T, dir sole.Option) (f *os.File, pid int, end func()) {
	t.Helper()
	path, err := sole.Prepare("a", dir)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	cmd := exec.Command("cat")
	cmd.ExtraFiles = []*os.File{f}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { _ = in.Close(); _ = cmd.Wait() }
	t.Cleanup(end)
	return f, cmd.Process.Pid, end
}

func TestDescriptorIsAnothersLock(t *testing.T) {
	for what, how := range map[string][]sole.Option{"alone": nil, "shared": {sole.Shared()}} {
		t.Run(what, func(t *testing.T) {
			dir := sole.Dir(t.TempDir())
			f, pid, end := lend(t, dir)
			on := append([]sole.Option{dir, sole.Descriptor(int(f.Fd()), pid)}, how...)
			if _, err := sole.Resume("a", on...); !errors.Is(err, sole.ErrFree) {
				t.Fatalf("resume of a free one: %v", err)
			}
			l, err := sole.TryAcquire("a", on...)
			if err != nil {
				t.Fatal(err)
			}
			if st, err := sole.Inspect("a", dir); err != nil || st.PID != pid || st.Command[0] != "cat" || st.Run != l.Run() {
				t.Errorf("%+v, %v", st, err)
			}
			again, err := sole.Resume("a", on...)
			if err != nil || again.Run() != l.Run() {
				t.Fatalf("%+v, %v", again, err)
			}
			if err := again.Release(); err != nil {
				t.Fatal(err)
			}
			if st, err := sole.Inspect("a", dir); err != nil || st.State != sole.Free {
				t.Errorf("%+v, %v", st, err)
			}

			// It outlives what took it, and ends with the process.
			if _, err := sole.TryAcquire("a", on...); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			var busy *sole.BusyError
			if _, err := sole.TryAcquire("a", dir); !errors.As(err, &busy) || busy.Holder.PID != pid {
				t.Fatal(err)
			}
			end()
		})
	}
}

func TestDescriptorRefusals(t *testing.T) {
	dir := sole.Dir(t.TempDir())
	f, pid, end := lend(t, dir)
	fd := int(f.Fd())
	var option *sole.OptionError
	for _, opts := range [][]sole.Option{
		{sole.Slots(2)}, {sole.File(filepath.Join(t.TempDir(), "x"))}, {sole.Replace(sole.Replacement{})},
	} {
		if _, err := sole.Acquire(t.Context(), "a", append(opts, dir, sole.Descriptor(fd, pid))...); !errors.As(err, &option) {
			t.Errorf("%v", err)
		}
	}
	if _, err := sole.Resume("a", dir); !errors.As(err, &option) {
		t.Errorf("resume without a descriptor: %v", err)
	}
	var bad *sole.DescriptorError
	for _, fd := range []int{-1, 1 << 20} {
		if _, err := sole.TryAcquire("a", dir, sole.Descriptor(fd, pid)); !errors.As(err, &bad) {
			t.Errorf("%d: %v", fd, err)
		}
		if err := sole.TryLockDescriptor(fd); !errors.As(err, &bad) {
			t.Errorf("%d: %v", fd, err)
		}
	}
	l, err := sole.TryAcquire("a", dir, sole.Descriptor(fd, pid))
	if err != nil {
		t.Fatal(err)
	}
	// A file that is deleted cannot be put back for another process.
	if err := os.Remove(l.Path()); err != nil {
		t.Fatal(err)
	}
	var lost *sole.DisturbedError
	if err := l.Check(); !errors.As(err, &lost) || lost.Restored {
		t.Errorf("check: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	end()
	f, _, _ = lend(t, dir)
	if _, err := sole.TryAcquire("a", dir, sole.Descriptor(int(f.Fd()), pid)); err == nil {
		t.Error("a process that has ended holds it")
	}
	if st, err := sole.Inspect("a", dir); err != nil || st.State != sole.Free {
		t.Errorf("%+v, %v", st, err)
	}
}

// A wait for a file that ends leaves nothing.
func TestLockDescriptorIsCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	a, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := sole.TryLockDescriptor(int(a.Fd())); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	var busy *sole.BusyError
	if err := sole.LockDescriptor(ctx, int(b.Fd())); !errors.As(err, &busy) || !errors.Is(err, context.DeadlineExceeded) || busy.Holder.PID != os.Getpid() {
		t.Fatal(err)
	}
	if err := sole.UnlockDescriptor(int(a.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := sole.TryLockDescriptor(int(a.Fd()), sole.Shared()); err != nil {
		t.Fatal("the one that gave up has it: ", err)
	}
	if err := sole.TryLockDescriptor(int(b.Fd()), sole.Shared()); err != nil {
		t.Fatal(err)
	}
}
