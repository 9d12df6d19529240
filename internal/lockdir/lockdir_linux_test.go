package lockdir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func mkdir(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func TestDirectoriesThatAreRefused(t *testing.T) {
	base := t.TempDir()
	open := mkdir(t, base+"/open", 0o777)
	group := mkdir(t, base+"/group", 0o770)
	file := base + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(base+"/nowhere", base+"/dangling"); err != nil {
		t.Fatal(err)
	}
	refused := []string{open + "/d", open, group + "/d", file, base + "/dangling", base + "/dangling/d"}
	if os.Geteuid() == 0 {
		foreign := mkdir(t, base+"/foreign", 0o700)
		if err := os.Chown(foreign, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, foreign, foreign+"/d")
		link := base + "/foreign-link"
		if err := os.Symlink(base, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(link, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, link)
	}
	for _, path := range refused {
		var unsafe *UnsafeError
		if _, err := Open(path, Use); !errors.As(err, &unsafe) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestDirectoriesThatAreTaken(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mkdir(t, base+"/sticky", 0o777|os.ModeSticky)
	if err := os.Symlink("real", base+"/link"); err != nil {
		t.Fatal(err)
	}
	mkdir(t, base+"/real", 0o700)
	for path, want := range map[string]string{
		base + "/new/deep":           base + "/new/deep",
		base + "/sticky/d":           base + "/sticky/d",
		base + "/link/d":             base + "/real/d",
		base + "/link/../sticky//./": base + "/sticky",
	} {
		d, err := Open(path, Use)
		if err != nil || d.Path() != want {
			t.Errorf("%s: %v, %v", path, d, err)
		}
	}
	st, err := os.Stat(base + "/new")
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestLookMakesNothing(t *testing.T) {
	path := t.TempDir() + "/none"
	d, err := Open(path, Look)
	if err != nil || !d.Missing() {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("looking made a directory")
	}
}

func TestReplacedDirectoryIsNoticed(t *testing.T) {
	path := t.TempDir() + "/d"
	d, err := Open(path, Use)
	if err != nil || d.Changed() {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	mkdir(t, path, 0o700)
	if !d.Changed() {
		t.Error("another directory passes for the one that was walked")
	}
}

func TestSurveyMakesNothing(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mkdir(t, base+"/open", 0o777)
	mkdir(t, base+"/real", 0o700)
	for name, target := range map[string]string{"link": "real", "dangling": "nowhere"} {
		if err := os.Symlink(target, base+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, missing, unsafe string }{
		{base + "/real", "", ""},
		{base + "/link/new/deep", base + "/real/new", ""},
		{base + "/open/new", "", base + "/open"},
		{base + "/dangling", "", base + "/dangling"},
	} {
		steps, missing, err := Survey(c.path)
		var unsafe *UnsafeError
		if errors.As(err, &unsafe); (unsafe == nil) != (c.unsafe == "") || unsafe != nil && unsafe.Path != c.unsafe {
			t.Errorf("%s: %v", c.path, err)
		}
		if missing != c.missing || len(steps) == 0 || steps[0].Path != "/" {
			t.Errorf("%s: %v is missing, %v", c.path, missing, steps)
		}
	}
	if _, err := os.Lstat(base + "/real/new"); err == nil {
		t.Error("a survey made a directory")
	}
	t.Chdir(base)
	if _, missing, err := Survey("new"); err != nil || missing != base+"/new" {
		t.Errorf("a relative path: %q, %v", missing, err)
	}
}
