//go:build linux

package torture

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// churn takes and gives up other locks until the test ends, so that /proc/locks
// changes while it is read.
func churn(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	var over atomic.Bool
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			var fds []int
			for j := range 8 {
				fd, err := unix.Open(filepath.Join(dir, string(rune('a'+i))+string(rune('a'+j))), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
				if err != nil {
					t.Error(err)
					return
				}
				defer unix.Close(fd)
				fds = append(fds, fd)
			}
			for !over.Load() {
				for _, fd := range fds {
					_ = unix.Flock(fd, unix.LOCK_EX)
				}
				for _, fd := range fds {
					_ = unix.Flock(fd, unix.LOCK_UN)
				}
			}
		})
	}
	t.Cleanup(func() { over.Store(true); all.Wait() })
}

// TestStatusOfForeignLockUnderChurn: a name whose file flock(1) holds, without a record,
// must never be called free, although other locks come and go meanwhile.
func TestStatusOfForeignLockUnderChurn(t *testing.T) {
	dir := t.TempDir()
	verify(t, dir, "n")
	fd, err := unix.Open(filepath.Join(dir, "n.lock"), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	churn(t)
	lies := 0
	n := 40
	for range n {
		// Not decided by the record, so each look takes the settling time.
		st, err := sole.Inspect("n", sole.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		if st.State != sole.Held {
			lies++
		}
	}
	if lies > 0 {
		t.Errorf("%d of %d looks at a held name say that it is free", lies, n)
	}
}

// TestDeletedFileUnderChurn: a start beside the holder of a deleted lock file is
// refused, also while other locks come and go.
func TestDeletedFileUnderChurn(t *testing.T) {
	// On a filesystem of its own: locks on the same one would send the start the long way.
	dir, err := os.MkdirTemp("/dev/shm", "sole-torture")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	churn(t)
	two := 0
	const n = 150
	for range n {
		lock, err := sole.TryAcquire("n", sole.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(lock.Path()); err != nil {
			t.Fatal(err)
		}
		if r := runSole(t, dir, "run", "n", "--", "/bin/true"); r.code == 0 {
			two++
		}
		_ = lock.Release()
	}
	if two > 0 {
		t.Errorf("%d of %d starts got in beside the holder of the deleted file", two, n)
	}
}

// TestLookerWithoutPidfds: the holder has written down its pidfd's inode, and who
// looks may not open pidfds (an old seccomp filter).
func TestLookerWithoutPidfds(t *testing.T) {
	needs(t, "strace")
	withoutPidfds(t, false, true)
}

// TestSlowCleanMakesNoSkip: clean holds the lock while it makes the floor durable; a
// start must not skip because of it.
func TestSlowCleanMakesNoSkip(t *testing.T) {
	needs(t, "strace")
	dir := t.TempDir()
	verify(t, dir, "n")
	// The delay is in the tracee, after the lock and before the flush.
	c := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync",
		"-e", "inject=fdatasync:delay_enter=1000000", "--", soleBin, "clean")
	c.Env = append(os.Environ(), "SOLE_DIR="+dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	for i := 0; ; i++ { // until clean has the lock: it holds the floor's file then
		if _, err := os.Stat(filepath.Join(dir, ".floor")); err == nil {
			break
		}
		if i > 1e8 {
			t.Fatal("clean does not begin")
		}
	}
	verify(t, dir, "n")
}
