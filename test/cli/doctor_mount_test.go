package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Filesystems are mounted by the tests themselves, in mount and pid namespaces of their
// own: with pid 1 of these all of it ends.

// notPermitted is how a script says that the host does not let it mount something.
const notPermitted = 99

// mounted is the shell that prepares "$SOLE_DIR" and then runs args.
func (b *box) mounted(prepare string, args ...string) *exec.Cmd {
	b.Helper()
	unshare := need(b.T, "unshare", "util-linux")
	const script = `
		# image TOOL SIZE: a filesystem in a file, on "$SOLE_DIR".
		image() {
			rm -f image && truncate -s "$2" image && "$1" -q image >/dev/null || exit 98
			why=$(mount -o loop image "$SOLE_DIR" 2>&1) || { echo "$why"; exit 99; }
			chmod 700 "$SOLE_DIR"
		}
		# fuse ARG…: the directory lower, on "$SOLE_DIR", by a bindfs that is "$fuse".
		fuse() {
			[ -w /dev/fuse ] || { echo "/dev/fuse is missing"; exit 99; }
			mkdir -p -m 700 lower
			bindfs -f "$@" lower "$SOLE_DIR" 2>bindfs.says &
			fuse=$!
			until mountpoint -q "$SOLE_DIR"; do
				kill -0 $fuse 2>/dev/null || { cat bindfs.says; exit 99; }
			done
		}
	`
	all := append([]string{"-m", "-p", "-f", "--mount-proc", "--kill-child", "bash", "-c", script + prepare + "\n\"$@\"", "bash"}, args...)
	c := b.command(unshare, all...)
	c.Env = append(c.Env, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return c
}

// diagnoseMounted is diagnose there. Where the host permits no such mount, the test is
// skipped, and says so.
func (b *box) diagnoseMounted(prepare string, args ...string) diagnosis {
	b.Helper()
	c := b.mounted(prepare, append([]string{binary, "doctor", "--json"}, args...)...)
	// What it says before the JSON is why it cannot be mounted.
	o := b.finish(c)
	switch {
	case o.code == notPermitted:
		b.Skipf("this host does not permit the mount: %s", strings.TrimSpace(o.stdout))
	case o.code == notPermitted-1:
		b.Fatalf("no filesystem was made: %v", o)
	}
	return b.diagnosed(o)
}

func TestDoctorOnFilesystems(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, c := range []struct {
		name, tool, pkg, prepare string
		status                   string
		says                     []string
	}{
		{"ext4", "mkfs.ext4", "e2fsprogs", `image mkfs.ext4 20M`, "ok", []string{"ext4", "local"}},
		{"xfs", "mkfs.xfs", "xfsprogs", `image mkfs.xfs 320M`, "ok", []string{"xfs", "local"}},
		{"btrfs", "mkfs.btrfs", "btrfs-progs", `image mkfs.btrfs 120M`, "ok", []string{"btrfs", "local"}},
		{"tmpfs", "mount", "mount", `mount -t tmpfs -o mode=700 none "$SOLE_DIR"`, "warning", []string{"tmpfs", "restart", "run numbers"}},
		{"overlay", "mount", "mount", `mount -t tmpfs none "$SOLE_DIR"; cd "$SOLE_DIR"; mkdir low up work; chmod 700 up
			why=$(mount -t overlay -o lowerdir=low,upperdir=up,workdir=work over "$SOLE_DIR" 2>&1) || { echo "$why"; exit 99; }`, "warning", []string{"overlay", "two overlay mounts", "removed with it"}},
		{"FUSE", "bindfs", "bindfs", `fuse`, "warning", []string{"fuse", "lower", "this mount alone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.needTool(c.tool, c.pkg)
			d := b.diagnoseMounted(c.prepare)
			d.is(t, "filesystem", c.status, c.says...)
			for _, name := range []string{"directory", "owners", "room", "flock", "ofd", "posix"} {
				d.is(t, name, "ok")
			}
			if d.code != 0 {
				t.Errorf("exit %d", d.code)
			}
			// Nothing is left, and a start gets in.
			o := b.finish(b.mounted(c.prepare, "bash", "-c", `"$1" doctor >/dev/null; ls -A "$SOLE_DIR"; "$1" run n -- echo ran`, "bash", binary))
			if left := strings.Fields(strings.ReplaceAll(o.stdout, "lost+found", "")); len(left) != 1 || left[0] != "ran" {
				t.Errorf("after that: %v", o)
			}
		})
	}
}

// needTool is need for the programs that are root's.
func (b *box) needTool(program, pkg string) {
	b.Helper()
	for _, dir := range append(strings.Split(os.Getenv("PATH"), ":"), "/usr/sbin", "/sbin") {
		if _, err := os.Stat(dir + "/" + program); err == nil {
			return
		}
	}
	need(b.T, program, pkg)
}

// bindfs that forwards locks grants open file description locks twice.
func TestDoctorFindsLocksThatDoNotExclude(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	b.needTool("bindfs", "bindfs")
	d := b.diagnoseMounted(`fuse --multithreaded --enable-lock-forwarding`)
	d.is(t, "flock", "ok")
	d.is(t, "ofd", "failure", "exclude nobody", "granted")
	if d.code != 73 {
		t.Errorf("exit %d: %+v", d.code, d.by["ofd"])
	}
}

func TestDoctorOfFilesystemsThatRefuse(t *testing.T) {
	t.Parallel()
	needRoot(t)
	const small = `mount -t tmpfs -o size=64k,nr_inodes=20,mode=700 none "$SOLE_DIR"; `
	for _, c := range []struct{ name, tool, pkg, prepare, says, flock string }{
		{"read-only", "mount", "mount", small + `mount -o remount,ro "$SOLE_DIR"`, "read-only", "skipped"},
		{"full", "mount", "mount", small + `cat /dev/zero >"$SOLE_DIR/fill" 2>/dev/null`, "no space left", "ok"},
		{"full of files", "mount", "mount", small + `i=0; while : >"$SOLE_DIR/fill$i"; do i=$((i+1)); done 2>/dev/null`, "full", "skipped"},
		{"quota", "btrfs", "btrfs-progs", `image mkfs.btrfs 120M; btrfs -q quota enable "$SOLE_DIR"; btrfs -q qgroup limit 1M "$SOLE_DIR"
			cat /dev/zero >"$SOLE_DIR/fill" 2>/dev/null; sync`, "quota", "skipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.needTool(c.tool, c.pkg)
			d := b.diagnoseMounted(c.prepare)
			d.is(t, "room", "failure", c.says)
			d.is(t, "flock", c.flock)
			if d.code != 73 {
				t.Errorf("exit %d", d.code)
			}
			if c.name == "read-only" {
				d.is(t, "filesystem", "failure", "read-only")
			}
		})
	}
}

// A filesystem whose server does not answer: a bindfs that is stopped.
func TestDoctorOfAHungFilesystem(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	b.needTool("bindfs", "bindfs")
	const stop = `fuse; kill -STOP $fuse; until grep -q "^State:.T" /proc/$fuse/status; do :; done`
	began := time.Now()
	d := b.diagnoseMounted(stop, "--timeout", "1s")
	if took := time.Since(began); took > patience/2 {
		t.Errorf("it took %s", took)
	}
	// What the kernel has in its cache is told for a second: the directory and its owner.
	for _, name := range []string{"filesystem", "room", "flock", "ofd", "posix"} {
		d.is(t, name, "failure", "did not answer within 1s", "hangs")
	}
	for _, name := range []string{"clock", "kernel", "limits"} {
		d.is(t, name, "ok")
	}
	if d.code != 71 {
		t.Errorf("exit %d", d.code)
	}
	// The working directory hangs, and the place does not.
	d = b.diagnoseMounted(strings.Replace(stop, "fuse;", `fuse; cd "$SOLE_DIR";`, 1), "--timeout", "10s", "/")
	d.is(t, "flock", "ok")
	// When the server goes on, nothing is left.
	o := b.finish(b.mounted(stop, "bash", "-c", `"$1" doctor --timeout 0.5 >/dev/null; kill -CONT $2; ls -A lower`, "bash", binary, "$fuse"))
	if strings.Contains(o.stdout, ".doctor") {
		t.Errorf("left behind: %v", o)
	}
}

// What is around a process.
func TestDoctorOfNamespaces(t *testing.T) {
	t.Parallel()
	needRoot(t)
	unshare := need(t, "unshare", "util-linux")
	need(t, "setpriv", "util-linux")
	b := newBox(t)
	for _, c := range []struct {
		flags  []string
		shell  string
		name   string
		status string
		says   string
	}{
		{[]string{"-m", "-p", "-f", "--mount-proc"}, `"$@"`, "namespaces", "warning", "container"},
		{[]string{"-p", "-f"}, `"$@"`, "namespaces", "failure", "another pid namespace"},
		{[]string{"-T", "--boottime", "86400", "-f"}, `"$@"`, "clock", "warning", "time namespace"},
		{[]string{"-m", "-p", "-f"}, `mount -t proc -o hidepid=2 none /proc; setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"`, "proc", "warning", "hidden"},
		{[]string{"-m"}, `umount -l /proc 2>/dev/null; mount -t tmpfs none /proc; "$@"`, "proc", "failure", "/proc"},
	} {
		args := append(append([]string{}, c.flags...), "sh", "-c", c.shell, "sh", binary, "doctor", "--json", "/")
		d := b.diagnose(b.command(unshare, args...))
		d.is(t, c.name, c.status, c.says)
		if c.status == "failure" && d.code != 71 {
			t.Errorf("%q: exit %d", c.flags, d.code)
		}
	}
}
