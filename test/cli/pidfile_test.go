package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// pidIn is the pid in a file that has a pid and a newline, nothing else.
func (b *box) pidIn(path string) int {
	b.Helper()
	text, err := os.ReadFile(path)
	must(b, err)
	pid, err := strconv.Atoi(strings.TrimSuffix(string(text), "\n"))
	if err != nil || string(text) != fmt.Sprintln(pid) {
		b.Fatalf("%s: %q", path, text)
	}
	return pid
}

// holdPidFile is hold, until the file has the command's pid: the command begins a moment before.
func (b *box) holdPidFile(path string, args ...string) *held {
	b.Helper()
	h := b.hold(args...)
	b.eventually("the pid file names the command", func() bool { return b.pidIn(path) == h.pid })
	return h
}

// gone checks that neither the pid file nor anything that belongs to it is left.
func (b *box) gone(path string) {
	b.Helper()
	for _, p := range []string{path, filepath.Dir(path) + "/." + filepath.Base(path) + ".id", filepath.Dir(path) + "/." + filepath.Base(path) + ".new"} {
		if _, err := os.Lstat(p); !errors.Is(err, os.ErrNotExist) {
			b.Errorf("%s is left: %v", p, err)
		}
	}
}

// both are the two ways to have a pid file: flags and path.
func (b *box) both() map[string][]string {
	return map[string][]string{
		filepath.Join(b.dir, "n.pid"): {"--method", "pidfile", "n"},
		b.file("x.pid"):               {"--pidfile", b.file("x.pid"), "n"},
	}
}

// The file has the command's pid, is there while the command runs, and is gone before
// the next one gets the name.
func TestPidFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for path, args := range b.both() {
		h := b.holdPidFile(path, args...)
		st, err := os.Lstat(path)
		must(t, err)
		if st.Mode().Perm()&^0o644 != 0 || !st.Mode().IsRegular() {
			t.Errorf("mode %v", st.Mode())
		}
		b.skips("n") // whatever the method of the other is
		if o := h.release(); o.code != 0 {
			t.Errorf("end: %v", o)
		}
		b.gone(path)
	}
	h := b.hold("--method", "pidfile", "n")
	if st := b.status("n"); st.Method != "pidfile" {
		t.Errorf("%+v", st)
	}
	h.release()
	h = b.hold("--pidfile", b.file("x.pid"), "n")
	if st := b.status("n"); st.Method != "flock" {
		t.Errorf("%+v", st)
	}
	h.release()
}

// A signal that ends the command ends sole, and the file is gone.
func TestPidFileIsGoneAfterSignals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
		b := newBox(t)
		for path, args := range b.both() {
			h := b.hold(args...)
			must(t, h.Process.Signal(sig))
			if o := h.wait(); o.signal != sig {
				t.Errorf("%v: %v", sig, o)
			}
			b.gone(path)
		}
	}
}

// A supervisor that is killed leaves the file. It is busy while the command lives, for
// other names too, and names the command; then it is stale, and the next start replaces it.
func TestPidFileOfAKilledSupervisor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for path, args := range b.both() {
		h := b.holdPidFile(path, args...)
		must(t, h.Process.Kill())
		h.wait()
		if pid := b.pidIn(path); pid != h.pid || !alive(pid) {
			t.Errorf("%s names %d, and the command is %d", path, pid, h.pid)
		}
		b.skips("n")
		o := b.run("run", "--pidfile", path, "other", "--", "touch", b.file("witness"))
		if o.code != 75 {
			t.Errorf("another name with that pid file: %v", o)
		}
		mustContain(t, o.stderr, path, strconv.Itoa(h.pid))
		b.notRun()
		h.stdin.Close()
		b.eventually("the command ends", func() bool { return !alive(h.pid) })
		if pid := b.pidIn(path); pid != h.pid {
			t.Errorf("somebody changed it: %d", pid)
		}
		b.holdPidFile(path, args...).release()
		b.gone(path)
	}
}

// Both are killed: nothing is to be cleaned.
func TestPidFileAfterKill(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for path, args := range b.both() {
		h := b.hold(args...)
		must(t, syscall.Kill(-h.Process.Pid, syscall.SIGKILL))
		h.wait()
		b.eventually("the command ends", func() bool { return !alive(h.pid) })
		b.pidIn(path)
		b.hold(args...).release()
		b.gone(path)
	}
}

// When the command has ended, and its descendants are waited for, the file does not go on
// to name a pid that may be another process's by now.
func TestPidFileWithUntilTree(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := b.file("x.pid")
	h := b.start(b.sole("run", "--until", "tree", "--pidfile", path, "n", "--", "sh", "-c", `setsid cat "$0" >/dev/null & echo up $$`, b.fifo("leash")))
	b.eventually("the pid file names sole", func() bool { return !alive(h.pid) && b.pidIn(path) == h.Process.Pid })
	// What ends the supervisor's descendants ends the run.
	if o := b.finish(b.command("sh", "-ec", `kill $(cat "$1")`, "sh", path)); o.code != 0 {
		t.Errorf("kill: %v", o)
	}
	if o := h.wait(); o.code != 0 {
		t.Errorf("%v", o)
	}
	b.gone(path)
}

// With --exec the file names the program itself, and is stale when that has ended.
func TestPidFileWithExec(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for path, args := range b.both() {
		args = append([]string{"--exec"}, args...)
		for range 2 {
			h := b.hold(args...)
			if pid := b.pidIn(path); pid != h.pid || pid != h.Process.Pid {
				t.Errorf("%s names %d, not %d", path, pid, h.pid)
			}
			if o := b.run("run", "--pidfile", path, "other", "--", "true"); o.code != 75 {
				t.Errorf("another name: %v", o)
			}
			h.release()
		}
		b.run(append(append([]string{"run"}, args[1:]...), "--", "true")...)
		b.gone(path)
		// A command that cannot be executed takes the file with it.
		b.expect(126, append(append([]string{"run"}, args...), "--", b.dir)...)
		b.gone(path)
	}
}

// The programs that pid files are for.
func TestPidFilePrograms(t *testing.T) {
	t.Parallel()
	ssd := need(t, "start-stop-daemon", "dpkg")
	pgrep := need(t, "pgrep", "procps")
	b := newBox(t)
	for path, args := range b.both() {
		h := b.holdPidFile(path, args...)
		for _, c := range []*exec.Cmd{
			b.command(ssd, "--status", "--pidfile", path),
			b.command(ssd, "--stop", "--test", "--pidfile", path),
			b.command(pgrep, "-F", path),
			b.command("sh", "-ec", `kill -0 $(cat "$1"); kill -0 "$(cat "$1")"; read -r pid <"$1"; test "$pid" = "$2"`, "sh", path, strconv.Itoa(h.pid)),
			b.command("bash", "-ec", `kill -0 $(cat "$1"); kill -0 "$(<"$1")"`, "bash", path),
			b.command("/bin/kill", "-0", strings.TrimSpace(fmt.Sprintln(b.pidIn(path)))),
			b.command("sh", "-ec", `. /lib/lsb/init-functions; test "$(pidofproc -p "$1" cat)" = "$2"; status_of_proc -p "$1" cat n`, "sh", path, strconv.Itoa(h.pid)),
		} {
			if strings.Contains(strings.Join(c.Args, " "), "lsb") {
				if _, err := os.Stat("/lib/lsb/init-functions"); err != nil {
					continue
				}
			}
			if o := b.finish(c); o.code != 0 {
				t.Errorf("%q: %v", c.Args, o)
			}
		}
		// It ends the command, and waits until it has ended.
		if o := b.finish(b.command(ssd, "--stop", "--retry", "TERM/20/KILL/5", "--pidfile", path)); o.code != 0 {
			t.Errorf("stop: %v", o)
		}
		if o := h.wait(); o.signal != syscall.SIGTERM {
			t.Errorf("sole did not end as the command did: %v", o)
		}
		b.gone(path)
		if o := b.finish(b.command(ssd, "--status", "--pidfile", path)); o.code != 3 {
			t.Errorf("status after that: %v", o)
		}
		h = b.holdPidFile(path, args...)
		if o := b.finish(b.command("sh", "-ec", `kill $(cat "$1")`, "sh", path)); o.code != 0 {
			t.Errorf("kill: %v", o)
		}
		h.wait()
		b.gone(path)
		// A killed supervisor leaves a file that says that the program is dead.
		h = b.holdPidFile(path, args...)
		must(t, syscall.Kill(-h.Process.Pid, syscall.SIGKILL))
		h.wait()
		b.eventually("the command is reaped", func() bool { return procState(h.pid) == 0 })
		if o := b.finish(b.command(ssd, "--status", "--pidfile", path)); o.code != 1 {
			t.Errorf("status of a dead one: %v", o)
		}
	}
}

// start-stop-daemon writes the pid of sole, before sole begins: sole's own pid there is
// nobody else's.
func TestPidFileThatStartStopDaemonMade(t *testing.T) {
	t.Parallel()
	ssd := need(t, "start-stop-daemon", "dpkg")
	b := newBox(t)
	path := b.file("x.pid")
	h := b.start(b.command(ssd, "--start", "--quiet", "--pidfile", path, "--make-pidfile", "--startas", binary, "--",
		"run", "--pidfile", path, "n", "--", "sh", "-c", holdScript))
	b.eventually("the pid file names the command", func() bool { return b.pidIn(path) == h.pid })
	if o := b.finish(b.command(ssd, "--start", "--quiet", "--pidfile", path, "--exec", "/bin/cat", "--oknodo", "--test")); o.code != 0 {
		t.Errorf("a second start: %v", o)
	}
	h.release()
	b.gone(path)
}

// monit takes the file for what it is, and ends the command by it.
func TestPidFileMonit(t *testing.T) {
	t.Parallel()
	monit := need(t, "monit", "monit")
	b := newBox(t)
	path := b.file("x.pid")
	h := b.holdPidFile(path, "--pidfile", path, "n")
	rc := b.file("monitrc")
	conf := fmt.Sprintf("set daemon 1\nset idfile %[1]s/id\nset statefile %[1]s/state\nset pidfile %[1]s/monit.pid\nset logfile %[1]s/log\n"+
		"check process job with pidfile %[2]s\n  start program = \"/bin/true\"\n  stop program = \"/bin/sh -c 'kill $(cat %[2]s)'\"\n  if exist then exec \"/usr/bin/touch %[1]s/seen\"\n  if not exist then exec \"/usr/bin/touch %[1]s/gone\"\n", b.work, path)
	must(t, os.WriteFile(rc, []byte(conf), 0o600))
	must(t, os.Chown(rc, os.Geteuid(), os.Getegid()))
	if o := b.finish(b.command(monit, "-t", "-c", rc)); o.code != 0 {
		t.Fatalf("monit -t: %v", o)
	}
	m := b.launch(b.command(monit, "-I", "-c", rc))
	b.eventually("monit sees the process", func() bool { _, err := os.Stat(b.file("seen")); return err == nil })
	if _, err := os.Stat(b.file("gone")); err == nil {
		t.Error("monit takes it for gone")
	}
	h.release()
	b.eventually("monit sees the end", func() bool { _, err := os.Stat(b.file("gone")); return err == nil })
	must(t, m.Process.Signal(syscall.SIGTERM))
	m.wait()
}

// A pid file of another program counts, in each way.
func TestPidFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := b.file("x.pid")
	other := b.launch(b.command("sleep", "1000"))
	must(t, os.WriteFile(path, []byte(fmt.Sprintln(other.Process.Pid)), 0o644))
	o := b.run("run", "--pidfile", path, "n", "--", "touch", b.file("witness"))
	if o.code != 75 {
		t.Errorf("%v", o)
	}
	mustContain(t, o.stderr, path, fmt.Sprintf("pid %d (sleep 1000)", other.Process.Pid), "hint: ", "remove "+path)
	o = b.run("run", "-q", "-E", "3", "--wait=0.1", "--pidfile", path, "n", "--", "touch", b.file("witness"))
	if o.code != 3 || o.stderr != "" {
		t.Errorf("%v", o)
	}
	b.notRun()
	// One who waits gets in when it has ended.
	w := b.launch(b.sole("run", "--wait", "--pidfile", path, "n", "--", "cat", path))
	b.eventually("it has the name", func() bool { return b.status("n").State == "held" })
	must(t, other.Process.Kill())
	other.wait()
	if o := w.wait(); o.code != 0 || strings.TrimSpace(o.stdout) == "" {
		t.Errorf("the waiter: %v", o)
	}
	b.gone(path)

	for _, text := range []string{"", "\n", "hello\n", "0\n", "-1\n", "99999999999\n", strings.Repeat("1", 100000), "\x00\x00\n"} {
		must(t, os.WriteFile(path, []byte(text), 0o644))
		o := b.run("run", "--pidfile", path, "n", "--", "touch", b.file("witness"))
		if o.code != 73 {
			t.Errorf("%.20q: %v", text, o)
		}
		mustContain(t, o.stderr, path, "hint: remove")
		b.notRun()
		if now, _ := os.ReadFile(path); string(now) != text {
			t.Errorf("%.20q was changed", text)
		}
	}
}

func TestPidFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := b.file("x.pid")
	for what, make := range map[string]func() error{
		"a symbolic link": func() error { return os.Symlink("/dev/null", path) },
		"a FIFO":          func() error { return syscall.Mkfifo(path, 0o600) },
		"a directory":     func() error { return os.Mkdir(path, 0o700) },
		"writable":        func() error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o666)) },
		"hard links":      func() error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Link(path, path+"2")) },
	} {
		must(t, make())
		o := b.run("run", "--pidfile", path, "n", "--", "touch", b.file("witness"))
		if o.code != 77 {
			t.Errorf("%s: %v", what, o)
		}
		mustContain(t, o.stderr, what, "hint: ")
		b.notRun()
		must(t, os.Remove(path))
	}
	must(t, os.Mkdir(b.file("open"), 0o700))
	must(t, os.Chmod(b.file("open"), 0o777))
	b.expect(77, "run", "--pidfile", b.file("open/x.pid"), "n", "--", "touch", b.file("witness"))
	b.expect(73, "run", "--pidfile", b.file("none/x.pid"), "n", "--", "touch", b.file("witness"))
	for _, own := range []string{"m.lock", "n.lock", "n.seats", "n.sock", ".n.pid.id", ".floor"} {
		b.expect(73, "run", "--pidfile", filepath.Join(b.dir, own), "n", "--", "touch", b.file("witness"))
	}
	b.notRun()
	b.takes("n")
	// The same file twice is one.
	b.expect(0, "run", "--method", "pidfile", "--pidfile", b.dir+"/./n.pid", "n", "--", "true")
}

// What somebody else did to the file is said, once, and left alone.
func TestLostPidFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := b.file("x.pid")
	for what, change := range map[string]func() error{
		"was deleted": func() error { return os.Remove(path) },
		"was replaced": func() error {
			return errors.Join(os.WriteFile(path+"2", []byte("1\n"), 0o644), os.Rename(path+"2", path))
		},
		"was written to": func() error { return os.WriteFile(path, []byte("1\n"), 0o644) },
	} {
		h := b.holdPidFile(path, "--pidfile", path, "n")
		must(t, change())
		before, _ := os.ReadFile(path)
		if line, err := h.stderr.ReadString('\n'); err != nil || !strings.Contains(line, "n: the pid file "+path+" "+what) {
			t.Errorf("%q, %v", line, err)
		}
		if o := h.release(); o.code != 0 {
			t.Errorf("%v", o)
		}
		if rest, _ := h.stderr.ReadString('\n'); rest != "" {
			t.Errorf("it also said %q", rest)
		}
		after, _ := os.ReadFile(path)
		if string(before) != string(after) {
			t.Errorf("%s: %q, %q", what, before, after)
		}
		_ = os.Remove(path)
	}
}

// A killed container left the pid that the next one has, or a live one of the host's.
func TestPidFileAndContainers(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	for path, args := range b.both() {
		args = append(append([]string{binary, "run"}, args...), "--", "sh", "-c", holdScript)
		for range 2 {
			h := b.start(b.inside(args...))
			o := b.run("run", "--pidfile", path, "other", "--", "touch", b.file("witness"))
			if o.code != 75 {
				t.Errorf("beside a container: %v", o)
			}
			mustContain(t, o.stderr, "another pid namespace")
			b.notRun()
			must(t, h.Process.Kill())
			h.wait()
			b.eventually("the container ends", func() bool { return b.status("n").State == "free" })
		}
		b.expect(0, "run", "--pidfile", path, "other", "--", "true")
		b.gone(path)
	}
}

// clean removes what a killed holder left.
func TestCleanPidFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, method := range []string{"pidfile", "socket"} {
		h := b.hold("--method", method, "n")
		must(t, syscall.Kill(-h.Process.Pid, syscall.SIGKILL))
		h.wait()
		b.eventually("the command ends", func() bool { return b.status("n").State == "free" })
		b.expect(0, "clean", "--history")
		all, err := os.ReadDir(b.dir)
		must(t, err)
		for _, f := range all {
			if f.Name() != ".floor" {
				t.Errorf("%s: left: %s", method, f.Name())
			}
		}
	}
}
