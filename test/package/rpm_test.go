package packages

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The RPM has what the Debian package has, at the places of its distributions, and runs no script.
func TestRPM(t *testing.T) {
	need(t, "rpm", "rpm2cpio", "cpio", "dpkg-deb", "rpmlint")
	dir := packages(t)
	pkg := rpm(dir)
	have := map[string]string{}
	for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME}\n]", pkg)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		have[path] = rest
	}
	for path, want := range map[string]string{
		"/usr/bin/sole":                                    "-rwxr-xr-x",
		"/usr/libexec/sole/sole-top":                       "-rwxr-xr-x",
		"/usr/share/man/man1/sole.1.gz":                    "-rw-r--r--",
		"/usr/share/man/man1/sole-run.1.gz":                "-rw-r--r--",
		"/usr/share/bash-completion/completions/sole":      "-rw-r--r--",
		"/usr/share/zsh/site-functions/_sole":              "-rw-r--r--",
		"/usr/share/fish/vendor_completions.d/sole.fish":   "-rw-r--r--",
		"/usr/share/doc/sole/README.md":                    "-rw-r--r--",
		"/usr/share/doc/sole/CHANGELOG.md":                 "-rw-r--r--",
		"/usr/share/doc/sole/docs/protocol.md":             "-rw-r--r--",
		"/usr/share/doc/sole/examples/sole-backup.service": "-rw-r--r--",
		"/usr/share/licenses/sole/LICENSE":                 "-rw-r--r--",
		"/var/lib/sole":                                    "drwx------",
		"/var/lib/sole-users":                              "drwxr-xr-x",
	} {
		if got := have[path]; got != want+" root root" {
			t.Errorf("%s: %q, want %s", path, got, want)
		}
	}
	if s := strings.TrimSpace(output(t, "rpm", "-qp", "--scripts", "--triggers", pkg)); s != "" {
		t.Errorf("it has scripts:\n%s", s)
	}
	lintRPM(t, pkg)
	sameFiles(t, dir)
}

// sameFiles compares the contents of both packages, where they have the same paths.
func sameFiles(t *testing.T, dir string) {
	t.Helper()
	r, d := t.TempDir(), t.TempDir()
	output(t, "dpkg-deb", "-x", deb(dir, archOfHost), d)
	output(t, "sh", "-c", `cd "$1" && rpm2cpio "$2" | cpio -id --quiet --no-absolute-filenames`, "sh", r, rpm(dir))
	compared := 0
	err := filepath.WalkDir(r, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		a, err := os.ReadFile(path)
		must(t, err)
		rel, _ := filepath.Rel(r, path)
		b, err := os.ReadFile(filepath.Join(d, rel))
		if os.IsNotExist(err) {
			return nil
		}
		compared++
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is not the same in both packages: %v", rel, err)
		}
		return nil
	})
	must(t, err)
	if compared < 30 {
		t.Errorf("only %d files are in both packages", compared)
	}
}

// lintRPM has rpmlint judge it. It unpacks packages by cpio in a directory of its own; but nfpm
// writes absolute paths, which cpio would follow out of there.
func lintRPM(t *testing.T, pkg string) {
	t.Helper()
	cpio, err := exec.LookPath("cpio")
	must(t, err)
	bin := t.TempDir()
	wrapper := "#!/bin/sh\nexec " + cpio + " --no-absolute-filenames \"$@\"\n"
	must(t, os.WriteFile(filepath.Join(bin, "cpio"), []byte(wrapper), 0o755))
	c := exec.Command("rpmlint", "--strict", "-c", "../../packaging/rpmlint.toml", pkg)
	c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(" 0 errors, 0 warnings")) {
		t.Errorf("rpmlint: %v\n%s", err, out)
	}
}
