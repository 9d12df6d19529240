package cli

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// finding is an element of sole doctor --json.
type finding struct {
	Name, Status, Cause, Found, Do string
	Facts                          map[string]string
}

// diagnosis is all of them by their names, and the exit code.
type diagnosis struct {
	code int
	by   map[string]finding
	all  []finding
}

// diagnose reads what sole doctor --json printed.
func (b *box) diagnose(c *exec.Cmd) diagnosis {
	b.Helper()
	return b.diagnosed(b.finish(c))
}

func (b *box) diagnosed(o outcome) diagnosis {
	b.Helper()
	d := diagnosis{code: o.code, by: map[string]finding{}}
	if err := json.Unmarshal([]byte(o.stdout), &d.all); err != nil {
		b.Fatalf("doctor: %v: %v", err, o)
	}
	for _, f := range d.all {
		d.by[f.Name] = f
		if (f.Status == "failure") != (f.Cause != "") || f.Found == "" {
			b.Errorf("doctor: %+v", f)
		}
	}
	if o.stderr != "" {
		b.Errorf("doctor said %q", o.stderr)
	}
	return d
}

func (b *box) doctor(args ...string) diagnosis {
	b.Helper()
	return b.diagnose(b.sole(append([]string{"doctor", "--json"}, args...)...))
}

// is checks one finding.
func (d diagnosis) is(t testing.TB, name, status string, words ...string) {
	t.Helper()
	f := d.by[name]
	if f.Status != status {
		t.Errorf("%s is %q, not %s: %s", name, f.Status, status, f.Found)
	}
	mustContain(t, f.Found+" do: "+f.Do, words...)
}

// noProbe checks that a doctor left nothing in the directory.
func (b *box) noProbe(dir string) {
	b.Helper()
	if left, err := filepath.Glob(dir + "/.doctor*"); err != nil || len(left) > 0 {
		b.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDoctorOfAGoodPlace(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	d := b.doctor()
	if d.code != 0 {
		t.Errorf("exit %d", d.code)
	}
	for _, name := range []string{"directory", "owners", "room", "flock", "ofd", "posix", "kernel", "proc", "limits"} {
		d.is(t, name, "ok")
	}
	d.is(t, "directory", "ok", "SOLE_DIR")
	if left, err := os.ReadDir(b.dir); err != nil || len(left) > 0 {
		t.Errorf("in the directory: %v, %v", left, err)
	}
	// For people: no line is too long, and each check has its line.
	o := b.expect(0, "doctor")
	for line := range strings.Lines(o.stdout) {
		if len([]rune(strings.TrimSuffix(line, "\n"))) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("wider than 80: %q", line)
		}
	}
	for _, f := range d.all {
		mustContain(t, o.stdout, " "+f.Name+" ")
	}
	if strings.Contains(o.stdout, "\x1b") {
		t.Error("it has escapes")
	}
}

// What is said of bad places is what a start says, with its exit code.
func TestDoctorOfBadPlaces(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	must(t, os.WriteFile(b.file("file"), nil, 0o600))
	must(t, os.Symlink(b.file("loop"), b.file("loop")))
	must(t, os.Symlink(b.file("nowhere"), b.file("dangling")))
	must(t, os.Mkdir(b.file("open"), 0o700))
	must(t, os.Chmod(b.file("open"), 0o777))
	b.fifo("fifo")
	l, err := net.Listen("unix", b.file("socket"))
	must(t, err)
	defer l.Close()
	for _, c := range []struct {
		path string
		code int
		name string
		says string
	}{
		{b.file("file"), 77, "directory", "not a directory"},
		{b.file("file/below"), 77, "directory", "not a directory"},
		{b.file("fifo"), 77, "directory", "a FIFO"},
		{b.file("socket"), 77, "directory", "a socket"},
		{"/dev/null", 77, "directory", "a device"},
		{b.file("loop"), 73, "directory", "too many levels"},
		{b.file("dangling"), 77, "directory", "does not exist"},
		{b.file("dangling/below"), 77, "directory", "does not exist"},
		{b.file("open"), 77, "owners", "writable by others"},
		{b.file("open/new"), 77, "owners", "writable by others"},
		{"/" + strings.Repeat("a/", 2500), 73, "directory", "too long"},
		{b.file(strings.Repeat("x", 300)), 73, "directory", "too long"},
	} {
		d := b.doctor(c.path)
		d.is(t, c.name, "failure", c.says)
		if run := b.run("run", "--dir", c.path, "n", "--", "touch", b.file("witness")); d.code != c.code || run.code != c.code {
			t.Errorf("%.60s: doctor exits with %d and a start with %d, not %d", c.path, d.code, run.code, c.code)
		}
		b.notRun()
		if c.name == "directory" {
			for _, name := range []string{"owners", "filesystem", "room", "flock", "ofd", "posix", "cleaners"} {
				d.is(t, name, "skipped")
			}
		} else {
			// Whether locks work there is told all the same.
			d.is(t, "flock", "ok")
		}
	}
	b.noProbe(b.file("open"))
	for _, args := range [][]string{{""}, {"a", "b"}, {"--dir", "a", "b"}, {"--dir", ""}, {"--timeout", "0"}, {"--timeout", "x"}, {"--what"}} {
		b.expect(64, append([]string{"doctor"}, args...)...)
	}
}

// A place that a start would make is not made, and not frowned upon but for its name.
func TestDoctorOfAMissingPlace(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, path := range []string{b.file("new"), b.file("new/er/still"), "new", "./new/er", b.file("new\nline"), b.file("new \x1b[31m\xff")} {
		d := b.doctor(path)
		d.is(t, "directory", "warning", "does not exist", "spelled")
		d.is(t, "flock", "ok")
		d.is(t, "room", "ok")
		if d.code != 0 {
			t.Errorf("%q: exit %d", path, d.code)
		}
		o := b.expect(0, "doctor", path)
		if strings.Contains(o.stdout, "\x1b") || strings.Contains(o.stdout, "\xff") || !strings.HasPrefix(o.stdout, "warning  directory ") {
			t.Errorf("%q: %q", path, o.stdout)
		}
	}
	if left, _ := filepath.Glob(b.work + "/*"); len(left) != 1 {
		t.Errorf("made: %v", left)
	}
	b.noProbe(b.work)
}

// A user who may not write there learns so.
func TestDoctorOfAnotherUsersPlace(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBoxFor(t, nobody)
	must(t, os.Chown(b.dir, 0, 0))
	must(t, os.Chmod(b.dir, 0o755))
	d := b.doctor()
	d.is(t, "owners", "ok") // root's directory is to be trusted
	d.is(t, "room", "failure", "uid 65534 may not")
	d.is(t, "flock", "skipped", "see room")
	if d.code != 77 {
		t.Errorf("exit %d", d.code)
	}
	must(t, os.Chown(b.work, 0, 0))
	must(t, os.Chown(b.dir, 12345, 12345))
	b.uid = -1
	d = b.doctor()
	d.is(t, "owners", "failure", "uid 12345")
	if d.code != 77 {
		t.Errorf("root in another's directory: exit %d", d.code)
	}
}

func TestDoctorOfLimits(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	d := b.diagnose(b.command("bash", "-c", `ulimit -f 1; exec "$@"`, "bash", binary, "doctor", "--json"))
	d.is(t, "limits", "failure", "1024 bytes", "ulimit -f")
	d.is(t, "room", "skipped", "see limits")
	if d.code != 73 {
		t.Errorf("exit %d", d.code)
	}
	d = b.diagnose(b.command("bash", "-c", `ulimit -n 30; exec "$@"`, "bash", binary, "doctor", "--json"))
	d.is(t, "limits", "warning", "30 descriptors")
	if d.code != 0 {
		t.Errorf("exit %d", d.code)
	}
}

// SOLE_DIR in this shell and in cron: by the crontab of a user of the test's own.
func TestDoctorOfCron(t *testing.T) {
	t.Parallel()
	needRoot(t)
	crontab := need(t, "crontab", "cron")
	useradd := need(t, "useradd", "passwd")
	userdel := need(t, "userdel", "passwd")
	su := need(t, "su", "login")
	b := newBox(t)
	user := "soled" + strings.ReplaceAll(filepath.Base(b.work), "sole-cli-box-", "")
	if o := b.finish(b.command(useradd, "-m", "-d", b.file("home"), "-s", "/bin/sh", user)); o.code != 0 {
		t.Fatalf("useradd: %v", o)
	}
	t.Cleanup(func() {
		b.finish(b.command(crontab, "-u", user, "-r"))
		b.finish(b.command(userdel, user))
	})
	must(t, os.Chmod(b.work, 0o755))
	ask := func(env string) diagnosis {
		return b.diagnose(b.command(su, user, "-s", "/bin/sh", "-c", "unset SOLE_DIR; "+env+" exec "+binary+" doctor --json"))
	}
	place := b.file("home/place")
	ask("").is(t, "cron", "ok", "user database")
	ask("SOLE_DIR="+place).is(t, "cron", "warning", "set in this shell and not in cron", "SOLE_DIR="+place)
	c := b.command(crontab, "-u", user, "-")
	c.Stdin = strings.NewReader("SOLE_DIR=" + place + "\n0 0 1 1 * true\n")
	if o := b.finish(c); o.code != 0 {
		t.Fatalf("crontab: %v", o)
	}
	ask("SOLE_DIR="+place).is(t, "cron", "ok", "crontab -l")
	ask("").is(t, "cron", "warning", "do not get the directory")
}

// Nobody becomes a helper of a doctor by an environment that he inherited.
func TestDoctorIsNoHelperByAccident(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	ours, theirs := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	defer ours.Close()
	defer theirs.Close()
	b.env = []string{fmt.Sprintf("SOLE_DOCTOR_HELPER=%d", os.Getpid())}
	b.expect(0, "doctor")
	// The socket is one of the tester's, and not of the shell that is named.
	c := b.command("sh", "-c", `SOLE_DOCTOR_HELPER=$$ "$1" doctor; echo "exit $?"`, "sh", binary)
	c.ExtraFiles = []*os.File{theirs}
	mustContain(t, b.finish(c).stdout, "directory", "exit 0")
}

func TestTwoDoctorsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var all []*launched
	for range 4 {
		all = append(all, b.launch(b.sole("doctor")))
	}
	for _, l := range all {
		if o := l.wait(); o.code != 0 {
			t.Errorf("beside others: %v", o)
		}
	}
	b.noProbe(b.dir)
}
