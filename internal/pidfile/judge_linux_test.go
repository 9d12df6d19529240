package pidfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/proc"
)

// gone returns the pid of a process that has ended.
func gone(t testing.TB) int {
	t.Helper()
	for range 100 {
		c := exec.Command("true")
		must(t, c.Run())
		if !proc.Exists(c.Process.Pid) {
			return c.Process.Pid
		}
	}
	t.Fatal("pids are recycled at once")
	return 0
}

// leave makes a file that its owner left, as if it had said what change says.
func leave(t *testing.T, path string, change func(*identity)) {
	t.Helper()
	c := helper(t, "leave", path)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	if change == nil {
		return
	}
	at, err := locate(path)
	must(t, err)
	g, err := at.enter()
	must(t, err)
	defer g.leave()
	id, err := g.identity()
	must(t, err)
	change(id)
	must(t, g.write(id, true))
}

func takes(t *testing.T, path string, by Lock) {
	t.Helper()
	f, err := Take(path, by)
	if err != nil {
		t.Fatalf("not taken for stale: %v", err)
	}
	says(t, path, fmt.Sprintf("%d\n", os.Getpid()))
	must(t, f.Remove())
	empty(t, path)
}

func TestStale(t *testing.T) {
	self, err := proc.Self()
	must(t, err)
	recycled := proc.ID{PID: os.Getpid(), Inode: self.Inode + 1<<40, Start: self.Start + 1}
	if self.Inode == 0 {
		recycled.Inode = 0
	} else {
		recycled.Start = 0
	}
	for name, change := range map[string]func(*identity){
		"its process has ended":     nil,
		"its pid was recycled":      func(id *identity) { id.holder = recycled },
		"its command's was too":     func(id *identity) { id.command = recycled },
		"the host was restarted":    func(id *identity) { copy(id.place.Boot[:], "00000000") },
		"it has a stamp of another": func(id *identity) { id.files[0].mtime++ }, // then the pid decides
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			leave(t, path, change)
			takes(t, path, Lock{})
		})
	}
}

// A pid that means another process here must not pass for the one in the file.
func TestRecycledPid(t *testing.T) {
	path := place(t)
	leave(t, path, func(id *identity) { id.holder.PID = 1 }) // it lives, and is another process
	at, err := locate(path)
	must(t, err)
	g, err := at.enter()
	must(t, err)
	must(t, os.WriteFile(path, []byte("1\n"), 0))
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	id, err := g.identity()
	must(t, err)
	id.files = []stamp{stampOf(&st)}
	must(t, g.write(id, true))
	g.leave()
	takes(t, path, Lock{})
}

func TestAliveThoughItMayNotBeSignalled(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir, err := os.MkdirTemp("", "sole-pidfile-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	path := dir + "/x.pid"
	up(t, helper(t, "take", path))
	plain := dir + "/plain.pid"
	must(t, os.WriteFile(plain, []byte("1\n"), 0o644))
	must(t, os.Chown(dir, 65534, 65534))
	must(t, os.Chown(dir+"/.x.pid.id", 65534, 65534))
	// The test binary may be in a directory that nobody may enter.
	exe := dir + "/helper"
	b, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	must(t, os.WriteFile(exe, b, 0o755))
	for _, p := range []string{path, plain} {
		c := exec.Command(exe, p)
		c.Dir, c.Env = "/", []string{helperEnv + "=take"}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, _ := c.CombinedOutput()
		if !strings.Contains(string(out), "which lives") {
			t.Errorf("%s: %s", p, out)
		}
	}
}

// Files that another program wrote are stale only if no process has their pid.
func TestForeignFiles(t *testing.T) {
	dead := gone(t)
	for text, want := range map[string]string{
		"1\n":                     "busy",
		"1\n/usr/sbin/init\n":     "busy",
		"1":                       "busy",
		fmt.Sprintln(dead):        "stale",
		fmt.Sprint(dead):          "bad", // a digit may be missing
		"":                        "bad",
		"\n":                      "bad",
		"hello\n":                 "bad",
		"\x00\x00":                "bad",
		strings.Repeat("1", 1e6):  "bad",
		fmt.Sprintln(os.Getpid()): "stale", // nobody else can be meant
		fmt.Sprintln(-1):          "bad",
		fmt.Sprintln(0):           "bad",
	} {
		path := place(t)
		must(t, os.WriteFile(path, []byte(text), 0o644))
		f, err := Take(path, Lock{})
		var busy *BusyError
		var bad *BadError
		got := "stale"
		switch {
		case errors.As(err, &busy):
			got = "busy"
			if !busy.Foreign || busy.Alive.PID != 1 {
				t.Errorf("%+v", busy)
			}
		case errors.As(err, &bad):
			got = "bad"
		case err != nil:
			t.Errorf("%.20q: %v", text, err)
		default:
			must(t, f.Remove())
		}
		if got != want {
			t.Errorf("%.20q: %s, not %s", text, got, want)
		}
		if want != "stale" {
			says(t, path, text)
		}
	}
}

// A program that does not know of identities wrote its own pid over a left file: the same
// pid, as happens in containers. The left identity must not speak for it.
func TestIdentityIsNotTakenForAnothers(t *testing.T) {
	path := place(t)
	leave(t, path, func(id *identity) { id.holder.PID = 1 })
	must(t, os.WriteFile(path, []byte("1\n"), 0))
	if busy := isBusy(t, second(Take(path, Lock{}))); !busy.Foreign {
		t.Errorf("%+v", busy)
	}
}

func TestWithoutIdentityThePidDecides(t *testing.T) {
	path := place(t)
	end := up(t, helper(t, "take", path))
	must(t, os.Remove(strings.TrimSuffix(path, "x.pid")+".x.pid.id"))
	if busy := isBusy(t, second(Take(path, Lock{}))); !busy.Foreign {
		t.Errorf("%+v", busy)
	}
	end()
	takes(t, path, Lock{})
}

// What lives in another pid namespace cannot be seen, and is not taken for dead. What the
// lock says counts.
func TestOtherPidNamespace(t *testing.T) {
	lockPath := t.TempDir() + "/n.lock"
	must(t, os.WriteFile(lockPath, nil, 0o600))
	var st unix.Stat_t
	must(t, unix.Stat(lockPath, &st))
	lock := Lock{Path: lockPath, Dev: st.Dev, Ino: st.Ino}
	elsewhere := func(l Lock) func(*identity) {
		return func(id *identity) { id.place.PIDs++; id.lock = l }
	}
	path := place(t)
	leave(t, path, elsewhere(Lock{}))
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Doubt == "" {
		t.Errorf("%+v", busy)
	}
	must(t, os.Remove(path))

	leave(t, path, elsewhere(lock))
	fd, err := unix.Open(lockPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	if got, err := flock.Mark(fd, 0, flock.Shared); !got || err != nil {
		t.Fatal(got, err)
	}
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Doubt == "" {
		t.Errorf("%+v", busy)
	}
	must(t, unix.Close(fd))
	takes(t, path, Lock{})

	leave(t, path, elsewhere(Lock{Path: lockPath, Dev: st.Dev, Ino: st.Ino, Mark: -1}))
	isBusy(t, second(Take(path, Lock{})))
	takes(t, path, lock) // who holds that lock knows
}

// A real one, with a pid that is a live process's here.
func TestRealPidNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	path := place(t)
	c := helper(t, "take", path)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	end := up(t, c)
	says(t, path, "1\n")
	for range 2 {
		busy := isBusy(t, second(Take(path, Lock{})))
		if busy.Doubt == "" {
			t.Errorf("%+v", busy)
		}
		end()
	}
}

// The holder was killed between starting its command and writing it down: the lock, which
// the command inherits, is all that tells.
func TestKilledBeforeTheCommandIsWrittenDown(t *testing.T) {
	lockPath := t.TempDir() + "/n.lock"
	must(t, os.WriteFile(lockPath, nil, 0o600))
	var st unix.Stat_t
	must(t, unix.Stat(lockPath, &st))
	path := place(t)
	leave(t, path, func(id *identity) { id.lock = Lock{Path: lockPath, Dev: st.Dev, Ino: st.Ino} })
	fd, err := unix.Open(lockPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	if got, err := flock.Mark(fd, 0, flock.Shared); !got || err != nil {
		t.Fatal(got, err)
	}
	isBusy(t, second(Take(path, Lock{})))
	must(t, unix.Close(fd))
	takes(t, path, Lock{})
}
