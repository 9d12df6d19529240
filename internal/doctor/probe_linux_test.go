package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// directory opens a new directory as a place is.
func directory(t *testing.T) (fd int, path string) {
	t.Helper()
	path = t.TempDir()
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd, path
}

func empty(t *testing.T, path string) {
	t.Helper()
	left, err := os.ReadDir(path)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// A probe that cannot find a fault finds nothing out.
func TestProbeFindsFaults(t *testing.T) {
	dir, path := directory(t)
	always := func(int) (bool, error) { return true, nil }
	free := func(int) error { return nil }
	ofd, _ := familyNamed("ofd")
	for _, c := range []struct {
		name   string
		change func(*family)
		words  []string
	}{
		{"as it is", func(*family) {}, nil},
		// The second process goes by the name, so it takes a real one.
		{"not really locked", func(f *family) { f.try, f.free, f.seen = always, free, nil }, []string{"within a process", "two processes"}},
		{"not seen", func(f *family) { f.try, f.free, f.perProcess = always, free, true }, []string{"two processes", "without another process seeing"}},
		{"not freed", func(f *family) { f.free = free }, []string{"not free"}},
	} {
		f := ofd
		c.change(&f)
		p, err := openProbes(dir)
		if err != nil {
			t.Fatal(err)
		}
		found, err := p.examine(f)
		p.close()
		if err != nil || found.refused != nil {
			t.Errorf("%s: %v, %v", c.name, err, found.refused)
		}
		got := strings.Join(found.faults, ", ")
		for _, w := range c.words {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q is missing in %q", c.name, w, got)
			}
		}
		if len(c.words) == 0 && got != "" {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	refuse := ofd
	refuse.try = func(int) (bool, error) { return false, unix.ENOLCK }
	p, err := openProbes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := p.examine(refuse); err != nil || !errors.Is(found.refused, unix.ENOLCK) {
		t.Errorf("%+v, %v", found, err)
	}
	p.close()
	empty(t, path)
}

// Another file in the place of the probe file is not taken for it.
func TestReplacedProbeFile(t *testing.T) {
	dir, path := directory(t)
	f, err := newProbeFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	full := filepath.Join(path, f.name)
	if err := os.Rename(full, full+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if fd, err := f.again(); !errors.Is(err, unix.ESTALE) {
		t.Errorf("%d, %v", fd, err)
	}
	if s, err := startSecond(f); err == nil {
		s.end()
		t.Error("the second process opened it")
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", full); err != nil {
		t.Fatal(err)
	}
	if fd, err := f.again(); !errors.Is(err, unix.ELOOP) {
		t.Errorf("%d, %v", fd, err)
	}
}

func TestSweepTakesOldProbeFilesOnly(t *testing.T) {
	dir, path := directory(t)
	long := time.Now().Add(-2 * forgotten)
	for _, name := range []string{probePrefix + "old", probePrefix + "new", ".other", "doctor~x.lock"} {
		full := filepath.Join(path, name)
		if err := os.WriteFile(full, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != probePrefix+"new" {
			if err := os.Chtimes(full, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(path, probePrefix+"dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	sweep(dir)
	left, _ := filepath.Glob(path + "/.*")
	if s := strings.Join(left, " "); strings.Contains(s, probePrefix+"old") || len(left) != 3 {
		t.Errorf("left: %s", s)
	}
}

// A variable that somebody has set makes nobody a helper.
func TestNobodyIsAHelperByAccident(t *testing.T) {
	for _, pid := range []int{1, os.Getpid(), os.Getppid()} {
		t.Setenv(helperEnv, itoa(pid))
		if IsHelper() {
			t.Errorf("by pid %d, without a socket of it", pid)
		}
	}
}

func TestExamineHere(t *testing.T) {
	_, path := directory(t)
	results, err := Examine(context.Background(), Options{Place: Place{Path: path, By: "PATH"}, Timeout: 20 * time.Second})
	if err != nil || len(results) != len(checks()) {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if r.Name != checks()[i].name || r.Facts == nil || r.Found == "" {
			t.Errorf("%+v", r)
		}
		if r.Status == Failure || r.Status == Skipped {
			t.Errorf("%+v", r)
		}
	}
	empty(t, path)
}

func TestEndedContext(t *testing.T) {
	_, path := directory(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Examine(ctx, Options{Place: Place{Path: path}, Timeout: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	empty(t, path)
}

func TestPathsWithoutTheLastStep(t *testing.T) {
	for path, want := range map[string]string{"/": "/", "/a": "/", "/a/b": "/a", "/a//b//": "/a/", "a": ".", ".": ".", "a/b": "a", "//": "//"} {
		if got := parent(path); got != want {
			t.Errorf("%q: %q, not %q", path, got, want)
		}
	}
	for _, c := range [][3]string{{"/a/b/c", "/a", "b/c"}, {"/a", "/", "a"}, {"a/b", ".", "a/b"}, {"./a", ".", "a"}, {".", ".", ""}, {"/a//b", "/a/", "b"}} {
		if got := below(c[0], c[1]); got != c[2] {
			t.Errorf("%q below %q: %q, not %q", c[0], c[1], got, c[2])
		}
	}
}
