package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// traps are what somebody may have put where a lock file, or its directory, should be.
var traps = []struct {
	name string
	set  func(b *box, lock string) error
}{
	{"symbolic link", func(b *box, lock string) error {
		must(b, os.WriteFile(b.file("target"), nil, 0o600))
		return os.Symlink(b.file("target"), lock)
	}},
	{"dangling link", func(b *box, lock string) error { return os.Symlink(b.file("absent"), lock) }},
	{"link to itself", func(b *box, lock string) error { return os.Symlink(lock, lock) }},
	{"hard link", func(b *box, lock string) error {
		must(b, os.WriteFile(b.file("target"), nil, 0o600))
		b.own(b.file("target"))
		return os.Link(b.file("target"), lock)
	}},
	{"FIFO", func(_ *box, lock string) error { return syscall.Mkfifo(lock, 0o600) }},
	{"device", func(_ *box, lock string) error { return syscall.Mknod(lock, syscall.S_IFCHR|0o600, 1<<8|3) }},
	{"directory", func(_ *box, lock string) error { return os.Mkdir(lock, 0o700) }},
	{"socket", func(b *box, lock string) error {
		l, err := net.Listen("unix", lock)
		if err == nil {
			b.Cleanup(func() { l.Close() })
		}
		return err
	}},
	{"world-writable file", func(b *box, lock string) error {
		must(b, os.WriteFile(lock, nil, 0o600))
		return os.Chmod(lock, 0o666)
	}},
	{"group-writable file", func(b *box, lock string) error {
		must(b, os.WriteFile(lock, nil, 0o600))
		return os.Chmod(lock, 0o660)
	}},
	{"foreign file", func(b *box, lock string) error {
		must(b, os.WriteFile(lock, nil, 0o600))
		return os.Chown(lock, 1234, 1234)
	}},
	{"foreign file for all", func(b *box, lock string) error {
		must(b, os.WriteFile(lock, nil, 0o600))
		must(b, os.Chmod(lock, 0o666))
		return os.Chown(lock, 1234, 1234)
	}},
	{"foreign directory", func(b *box, _ string) error {
		must(b, os.Chmod(b.dir, 0o777))
		return os.Chown(b.dir, 1234, 1234)
	}},
	{"directory for all", func(b *box, _ string) error { return os.Chmod(b.dir, 0o777) }},
	{"directory for a group", func(b *box, _ string) error {
		must(b, os.Chown(b.dir, max(b.uid, 0), 1234))
		return os.Chmod(b.dir, 0o770)
	}},
	{"directory below one for all", func(b *box, _ string) error {
		must(b, os.Chmod(b.work, 0o777))
		return nil
	}},
	{"directory below a foreign one", func(b *box, _ string) error {
		must(b, os.Chmod(b.work, 0o777))
		return os.Chown(b.work, 1234, 1234)
	}},
}

// own gives a file to who runs sole.
func (b *box) own(path string) {
	b.Helper()
	if b.uid >= 0 {
		must(b, os.Lchown(path, b.uid, b.uid))
	}
}

func TestUnsafePlacesAreRefused(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, uid := range []int{-1, nobody} {
		for _, trap := range traps {
			t.Run(fmt.Sprintf("%s uid %d", trap.name, max(uid, 0)), func(t *testing.T) {
				t.Parallel()
				b := newBoxFor(t, uid)
				lock := b.lockFile("n")
				must(t, trap.set(b, lock))
				before, err := os.Lstat(lock)
				if err == nil && !strings.HasPrefix(trap.name, "foreign") {
					b.own(lock)
				}
				witness := b.witness()
				for _, flags := range [][]string{{}, {"--exec"}, {"--wait=0.1"}} {
					args := append(append([]string{"run"}, flags...), "n", "--", "touch", witness)
					o := b.run(args...)
					if o.code != 77 {
						t.Errorf("sole %q: %v", args, o)
					}
					if _, err := os.Lstat(witness); err == nil {
						t.Fatal("the command was run")
					}
					if !strings.HasPrefix(o.stderr, "sole: ") || o.stdout != "" {
						t.Errorf("it said %v", o)
					}
				}
				after, _ := os.Lstat(lock)
				if before != nil && (after == nil || after.Mode() != before.Mode() || after.Size() != before.Size()) {
					t.Errorf("it was changed: %v, then %v", before, after)
				}
				if _, err := os.Lstat(b.file("absent")); err == nil {
					t.Error("the target of the dangling link was made")
				}
			})
		}
	}
}

// witness is a file that the command of this box could make.
func (b *box) witness() string {
	b.Helper()
	dir, err := os.MkdirTemp("", "sole-cli-witness-")
	must(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	must(b, os.Chmod(dir, 0o777))
	return filepath.Join(dir, "witness")
}

// The same places are good when nothing is wrong with them.
func TestSafePlacesAreTaken(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, uid := range []int{-1, nobody} {
		b := newBoxFor(t, uid)
		b.takes("n")
		must(t, os.Chmod(b.dir, 0o755))
		b.takes("n")
		// A link that root or the user made on the way is followed.
		must(t, os.Symlink(b.dir, b.file("link")))
		b.own(b.file("link"))
		b.expect(0, "run", "--dir", b.file("link"), "n", "--", "true")
		b.expect(0, "run", "--dir", b.file("new/er"), "n", "--", "true")
		st, err := os.Stat(b.lockFile("n"))
		must(t, err)
		if st.Mode().Perm() != 0o600 {
			t.Errorf("the lock file has mode %v", st.Mode())
		}
	}
}

// Where no lock can be made nothing is run.
func TestFilesystemsThatRefuse(t *testing.T) {
	t.Parallel()
	needRoot(t)
	unshare := need(t, "unshare", "util-linux")
	for _, c := range []struct{ name, prepare string }{
		{"read-only", `mount -o remount,ro "$SOLE_DIR"`},
		{"full", `cat /dev/zero >"$SOLE_DIR/fill" 2>/dev/null || :; test -s "$SOLE_DIR/fill"`},
		{"full of files", `i=0; while : >"$SOLE_DIR/fill$i"; do i=$((i+1)); done 2>/dev/null || :`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			witness := b.witness()
			script := `set -e; mount -t tmpfs -o size=64k,nr_inodes=20,mode=700 none "$SOLE_DIR"; ` + c.prepare + `; exec "$@"`
			for _, flags := range [][]string{{}, {"--exec"}, {"--wait=0.1"}} {
				args := append([]string{"-m", "bash", "-c", script, "bash", binary, "run"}, flags...)
				o := b.finish(b.command(unshare, append(args, "n", "--", "touch", witness)...))
				if o.code != 73 {
					t.Errorf("%q: %v", flags, o)
				}
				if _, err := os.Lstat(witness); err == nil {
					t.Fatal("the command was run")
				}
				if !strings.HasPrefix(o.stderr, "sole: ") {
					t.Errorf("it said %v", o)
				}
			}
		})
	}
}

// A user finds the same place from everywhere.
func TestSamePlaceFromEverywhere(t *testing.T) {
	t.Parallel()
	needRoot(t)
	su := need(t, "su", "util-linux")
	useradd := need(t, "useradd", "passwd")
	userdel := need(t, "userdel", "passwd")
	b := newBox(t)
	user := "solet" + strconv.Itoa(os.Getpid())
	home := b.file("home")
	must(t, os.Chmod(b.work, 0o755))
	if o := b.finish(b.command(useradd, "-m", "-d", home, "-s", "/bin/sh", user)); o.code != 0 {
		t.Fatalf("useradd: %v", o)
	}
	t.Cleanup(func() { b.finish(b.command(userdel, user)) })

	ask := binary + " path job"
	for _, who := range []struct{ user, want string }{
		{"root", "/var/lib/sole/job.lock"},
		{user, home + "/.local/state/sole/job.lock"},
	} {
		for _, how := range [][]string{
			{su, who.user, "-s", "/bin/sh", "-c", ask},
			{su, "-", who.user, "-s", "/bin/sh", "-c", ask},
			{su, "-m", who.user, "-s", "/bin/sh", "-c", ask},
			{su, who.user, "-s", "/bin/sh", "-c", "env -i " + ask},
			{su, who.user, "-s", "/bin/sh", "-c", "HOME=/tmp XDG_STATE_HOME=/tmp XDG_RUNTIME_DIR=/tmp TMPDIR=/var/tmp USER=x LOGNAME=y " + ask},
			{su, who.user, "-s", "/bin/sh", "-c", "cd /; unset HOME; " + ask},
			{su, who.user, "-s", "/bin/sh", "-c", "env -i HOME=/nonexistent PATH=/usr/bin:/bin SHELL=/bin/sh LOGNAME=root " + ask},
		} {
			c := b.command(how[0], how[1:]...)
			c.Env = append(os.Environ(), "HOME=/somewhere")
			o := b.finish(c)
			if got := strings.TrimSpace(o.stdout); got != who.want || o.code != 0 {
				t.Errorf("%q: want %s, got %v", how, who.want, o)
			}
		}
	}

	// Two starts of the user, from cron's environment and by su, meet.
	h := b.start(b.command(su, user, "-s", "/bin/sh", "-c", "exec env -i "+binary+" run job -- sh -c '"+holdScript+"'"))
	o := b.finish(b.command(su, "-", user, "-s", "/bin/sh", "-c", "SOLE_DIR= "+binary+" run job -- echo ran"))
	if o.code != 75 || o.stdout != "" {
		t.Errorf("the second start: %v", o)
	}
	h.release()
}
