package packages

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The same sources give the same bytes, in another directory and later.
func TestReproducible(t *testing.T) {
	first := packages(t)
	src := filepath.Join(scratch, "elsewhere", "sources")
	copySources(t, "../..", src)
	second, err := build(src, filepath.Join(scratch, "second"))
	must(t, err)
	names := files(t, first)
	if len(names) != 4 {
		t.Errorf("the build makes %q", names)
	}
	for _, n := range names {
		a, err := os.ReadFile(filepath.Join(first, n))
		must(t, err)
		b, err := os.ReadFile(filepath.Join(second, n))
		must(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same a second time", n)
		}
	}
}

// copySources copies what git has or would have, without what git knows of it.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	out, err := list.Output()
	must(t, err)
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(to, name), b, 0o644))
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestVersions(t *testing.T) {
	for described, want := range map[string]string{
		"v1.2.3":            "1.2.3",
		"v1.2.3-rc1":        "1.2.3~rc1",
		"v1.2.3-4-gabc":     "1.2.3+4.gabc",
		"v1.2-4-gabc-dirty": "1.2+4.gabc.dirty",
		"abc":               "0~git20231114221320.abc",
		"abc-dirty":         "0~git20231114221320.abc~dirty",
	} {
		if got := strings.TrimSpace(output(t, "sh", "../../packaging/version.sh", described, epoch)); got != want {
			t.Errorf("%s: %s, want %s", described, got, want)
		}
	}
}

// Each package has the program of its architecture.
func TestArchitectures(t *testing.T) {
	need(t, "dpkg-deb")
	dir := packages(t)
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb(dir, arch), "Architecture")); got != arch {
			t.Errorf("%s says it is for %s", deb(dir, arch), got)
		}
		to := t.TempDir()
		output(t, "dpkg-deb", "-x", deb(dir, arch), to)
		f, err := elf.Open(filepath.Join(to, "usr/bin/sole"))
		must(t, err)
		if f.Machine != machine {
			t.Errorf("%s has a program for %v", deb(dir, arch), f.Machine)
		}
		must(t, f.Close())
	}
}

// lintian has nothing to say but what packaging/lintian-overrides explains.
func TestLintian(t *testing.T) {
	need(t, "lintian")
	dir := packages(t)
	for _, arch := range []string{"amd64", "arm64"} {
		out, err := exec.Command("lintian", "--allow-root", "--info", "-E", "--pedantic", deb(dir, arch)).CombinedOutput()
		if err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("%s: %v\n%s", arch, err, out)
		}
	}
}
