package pidfile

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

const helperEnv = "SOLE_PIDFILE_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(helperEnv); mode != "" {
		help(mode, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// help is what a helper process does: it says a line, and lives until its standard input
// ends, unless the mode says something else.
func help(mode string, args []string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	switch mode {
	case "take":
		_, err := Take(args[0], Lock{})
		check(err)
	case "leave": // a stale file
		_, err := Take(args[0], Lock{})
		check(err)
		return
	case "whole": // all that an owner does, to be killed in between
		f, err := Take(args[0], Lock{})
		check(err)
		pid := 0
		_, err = fmt.Sscan(args[1], &pid)
		check(err)
		command, err := proc.Of(pid)
		check(err)
		check(f.SetCommand(command))
		if len(args) > 2 {
			check(f.Remove())
		}
		return
	case "race":
		race(args[0])
		return
	case "race-naive":
		raceWith(func() (any, error) { return naive(args[0]) })
		return
	}
	fmt.Println("up")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// helper starts a helper process.
func helper(t *testing.T, mode string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("/proc/self/exe", args...)
	c.Env = append(os.Environ(), helperEnv+"="+mode)
	return c
}

// up starts a helper, waits until it is up, and returns how to end it.
func up(t *testing.T, c *exec.Cmd) (end func()) {
	t.Helper()
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	c.Stderr = os.Stderr
	must(t, c.Start())
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = in.Close()
			_ = c.Wait()
		}
	}
	t.Cleanup(end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("the helper said %q, %v", line, err)
	}
	return end
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func place(t *testing.T) string { return filepath.Join(t.TempDir(), "x.pid") }

func says(t *testing.T, path, want string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != want {
		t.Errorf("%s: %q, %v, not %q", path, b, err, want)
	}
}

// empty checks that nothing was left in the directory of path.
func empty(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) > 0 {
		t.Errorf("left behind: %v, %v", all, err)
	}
}

func isBusy(t *testing.T, err error) *BusyError {
	t.Helper()
	var busy *BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("not busy: %v", err)
	}
	return busy
}

func TestFromTakeToRemove(t *testing.T) {
	path := place(t)
	f, err := Take(path, Lock{})
	must(t, err)
	says(t, path, fmt.Sprintf("%d\n", os.Getpid()))
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Alive.PID != os.Getpid() || busy.Foreign {
		t.Errorf("%+v", busy)
	}
	c := exec.Command("cat")
	in, err := c.StdinPipe()
	must(t, err)
	must(t, c.Start())
	id, err := proc.Of(c.Process.Pid)
	must(t, err)
	must(t, f.SetCommand(id))
	says(t, path, fmt.Sprintf("%d\n", c.Process.Pid))
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Alive != id {
		t.Errorf("%+v", busy)
	}
	_ = in.Close()
	_ = c.Wait()
	// The command has ended; its holder has not.
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Alive.PID != os.Getpid() {
		t.Errorf("%+v", busy)
	}
	must(t, f.Remove())
	empty(t, path)
}

func second(_ *File, err error) error { return err }

func TestMode(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		path := place(t)
		old := unix.Umask(umask)
		f, err := Take(path, Lock{})
		unix.Umask(old)
		must(t, err)
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm()&^0o644 != 0 || st.Mode().Perm()&0o400 == 0 {
			t.Errorf("umask %03o: %v, %v", umask, st.Mode(), err)
		}
		must(t, f.Remove())
	}
}

// A reader sees a whole pid at each moment, before and after the command is written down.
func TestReadersNeverSeeHalf(t *testing.T) {
	path := place(t)
	self, err := proc.Self()
	must(t, err)
	one, err := proc.Of(1)
	must(t, err)
	f, err := Take(path, Lock{})
	must(t, err)
	done, read := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { read <- n }()
		for ; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			b, err := os.ReadFile(path)
			if s := string(b); err != nil || s != "1\n" && s != fmt.Sprintf("%d\n", self.PID) {
				t.Errorf("%q, %v", b, err)
				return
			}
		}
	}()
	for i := range 100 {
		must(t, f.SetCommand([]proc.ID{one, self}[i%2]))
	}
	close(done)
	if n := <-read; n < 10 {
		t.Errorf("read %d times only", n)
	}
	must(t, f.Remove())
}

// What is not ours is left alone, and noticed.
func TestRemovedOnlyIfOurs(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"deleted":   func(p string) error { return os.Remove(p) },
		"rewritten": func(p string) error { return os.WriteFile(p, []byte("1\n"), 0) },
		"replaced":  func(p string) error { return errors.Join(os.Remove(p), os.WriteFile(p, []byte("1\n"), 0o600)) },
		"copied": func(p string) error { // the same text in another file
			return errors.Join(os.WriteFile(p+"2", []byte(fmt.Sprintf("%d\n", os.Getpid())), 0o600), os.Rename(p+"2", p))
		},
		"linked": func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/dev/null", p)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			f, err := Take(path, Lock{})
			must(t, err)
			must(t, f.Check())
			must(t, change(path))
			before, beforeErr := os.Lstat(path)
			self, _ := proc.Self()
			var lost *LostError
			for _, err := range []error{f.Check(), f.SetCommand(self), f.Remove()} {
				if !errors.As(err, &lost) {
					t.Errorf("not noticed: %v", err)
				}
			}
			after, afterErr := os.Lstat(path)
			if (beforeErr == nil) != (afterErr == nil) || beforeErr == nil && !os.SameFile(before, after) {
				t.Errorf("%v, %v: %v, %v", before, beforeErr, after, afterErr)
			}
		})
	}
}

// A file whose place was lost does not take the next owner's identity with it.
func TestLostFileSparesTheNext(t *testing.T) {
	path := place(t)
	f, err := Take(path, Lock{})
	must(t, err)
	must(t, os.Remove(path))
	up(t, helper(t, "take", path))
	if err := f.Remove(); err == nil {
		t.Error("not noticed")
	}
	if busy := isBusy(t, second(Take(path, Lock{}))); busy.Foreign {
		t.Errorf("the identity is gone: %+v", busy)
	}
}

func TestRefusedFiles(t *testing.T) {
	odd := map[string]func(p string) error{
		"link":          func(p string) error { return os.Symlink("/nowhere", p) },
		"FIFO":          func(p string) error { return unix.Mkfifo(p, 0o600) },
		"directory":     func(p string) error { return os.Mkdir(p, 0o700) },
		"hard link":     func(p string) error { return errors.Join(os.WriteFile(p, []byte("1\n"), 0o600), os.Link(p, p+"2")) },
		"writable":      func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o666)) },
		"group's":       func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o660)) },
		"socket":        func(p string) error { return bind(p) },
		"somebody's":    func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Chown(p, 12345, 12345)) },
		"somebody's ln": func(p string) error { return errors.Join(os.Symlink("y", p), os.Lchown(p, 12345, 12345)) },
		"device":        func(p string) error { return unix.Mknod(p, unix.S_IFCHR|0o600, 1<<8|3) },
	}
	for name, make := range odd {
		for _, guard := range []bool{false, true} {
			path := place(t)
			at := path
			if guard {
				at = filepath.Join(filepath.Dir(path), ".x.pid.id")
			}
			if err := make(at); errors.Is(err, os.ErrPermission) {
				continue // needs root
			} else if err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(at)
			must(t, err)
			var unsafe *lockdir.UnsafeError
			if _, err := Take(path, Lock{}); !errors.As(err, &unsafe) || unsafe.Path != at || unsafe.Remedy == "" {
				t.Errorf("%s, guard %v: %v", name, guard, err)
			}
			if after, err := os.Lstat(at); err != nil || !os.SameFile(before, after) {
				t.Errorf("%s: gone: %v", name, err)
			}
		}
	}
}

func bind(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
}

func TestRefusedPlaces(t *testing.T) {
	base := t.TempDir()
	open := base + "/open"
	must(t, os.Mkdir(open, 0o700))
	must(t, os.Chmod(open, 0o777))
	var unsafe *lockdir.UnsafeError
	if err := second(Take(open+"/x.pid", Lock{})); !errors.As(err, &unsafe) {
		t.Errorf("a directory that others may write: %v", err)
	}
	for _, path := range []string{"", "/", base + "/", base + "/.", base + "/none/x.pid", base + "/" + strings.Repeat("x", 252)} {
		var system *os.PathError
		if err := second(Take(path, Lock{})); !errors.As(err, &system) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := os.Lstat(base + "/none"); err == nil {
		t.Error("a directory was made")
	}
	empty(t, open+"/x")
	must(t, os.Mkdir(base+"/real", 0o700))
	must(t, os.Symlink("real", base+"/link"))
	f, err := Take(base+"/link/x.pid", Lock{})
	if err != nil || filepath.Base(filepath.Dir(f.Path())) != "real" {
		t.Fatalf("a link of one's own on the way: %v", err)
	}
	must(t, f.Remove())
}
