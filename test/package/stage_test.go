package packages

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stage runs the named test once more with a view of the machine of its own: whatever is
// written to /usr, /etc and /var is gone with it, however it ends. So the machine's own
// packages and names are left alone, and a test of somebody else is not disturbed.
func stage(t *testing.T) {
	t.Helper()
	dir := packages(t)
	before := ownPackage(t)
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self, "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	c.Env = append(os.Environ(), stageEnv+"="+dir, "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "SOLE_DIR=")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := c.CombinedOutput()
	if bytes.Contains(out, []byte(noStage)) {
		skip(t, string(out))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	if after := ownPackage(t); after != before {
		t.Errorf("the machine is not as it was: %s, then %s", before, after)
	}
}

const noStage = "cannot have mounts of its own"

// ownPackage is what the machine itself has of sole.
func ownPackage(t *testing.T) string {
	t.Helper()
	said, _ := exec.Command("dpkg-query", "-W", "-f", "${Status} ${Version}", "sole").Output()
	inode := ""
	if st, err := os.Stat("/usr/bin/sole"); err == nil {
		inode = st.ModTime().String()
	}
	return string(said) + inode
}

// setStage lays a fresh layer over what packages write to, and takes away what the machine
// has of sole.
func setStage(t *testing.T) {
	t.Helper()
	mount := func(source, target, kind string, flags uintptr, data string) {
		if err := syscall.Mount(source, target, kind, flags, data); err != nil {
			t.Fatalf("%s: mount %s: %v", noStage, target, err)
		}
	}
	mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	base := t.TempDir()
	mount("tmpfs", base, "tmpfs", 0, "")
	for _, dir := range []string{"usr", "etc", "var"} {
		upper, work := filepath.Join(base, dir), filepath.Join(base, dir+".work")
		must(t, os.Mkdir(upper, 0o755))
		must(t, os.Mkdir(work, 0o755))
		mount("overlay", "/"+dir, "overlay", 0, "lowerdir=/"+dir+",upperdir="+upper+",workdir="+work)
	}
	t.Cleanup(func() { // else the directory cannot be removed
		for _, dir := range []string{"/usr", "/etc", "/var", base} {
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
	})
	if exec.Command("dpkg-query", "-W", "sole").Run() == nil {
		output(t, "dpkg", "-P", "sole")
	}
	must(t, os.RemoveAll("/var/lib/sole"))
	must(t, os.RemoveAll("/var/lib/sole-users"))
	// No other sole, nor other names than the package's.
	t.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
	t.Setenv("SOLE_DIR", "")
}

// dpkg runs dpkg, and returns all that it says. A machine may be set to leave out manual
// pages and documents.
func dpkg(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"--path-include=/usr/share/man/*", "--path-include=/usr/share/doc/*"}, args...)
	out, err := exec.Command("dpkg", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dpkg %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// tree lists what is on the machine, but for what dpkg and its triggers keep for themselves.
func tree(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, root := range []string{"/usr", "/etc", "/var"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return nil // a directory that went meanwhile
			}
			switch path {
			case "/var/lib/dpkg", "/var/cache", "/var/log", "/var/tmp":
				return filepath.SkipDir
			}
			all[path] = true
			return nil
		})
		must(t, err)
	}
	return all
}

// job is a run of sole that says "up" and lasts until its standard input is closed.
type job struct {
	*exec.Cmd
	stdin interface{ Close() error }
}

func hold(t *testing.T, program string, args ...string) *job {
	t.Helper()
	c := exec.Command(program, append(append([]string{"run"}, args...), "--", "sh", "-c", "echo up; exec cat")...)
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	word := make([]byte, 3)
	if _, err := out.Read(word); err != nil || string(word) != "up\n" {
		t.Fatalf("the job said %q: %v", word, err)
	}
	return &job{c, in}
}

// end has the job end, and waits for sole.
func (j *job) end(t *testing.T) {
	t.Helper()
	_ = j.stdin.Close()
	if err := j.Wait(); err != nil {
		t.Error(err)
	}
}

// code is how a program exits, and what it says.
func code(t *testing.T, name string, args ...string) (int, string) {
	t.Helper()
	c := exec.Command(name, args...)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// eventually polls for what nobody announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in %q", p, text)
		}
	}
}
