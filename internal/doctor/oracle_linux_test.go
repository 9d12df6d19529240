package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is expected of the rules is what systemd-tmpfiles(8) itself does with them.
func TestRulesAreThoseOfSystemdTmpfiles(t *testing.T) {
	program, err := exec.LookPath("systemd-tmpfiles")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-tmpfiles is missing: apt-get install systemd-standalone-tmpfiles")
		}
		t.Skip("systemd-tmpfiles is missing: apt-get install systemd-standalone-tmpfiles")
	}
	gone, kept := 0, 0
	for _, rules := range []string{
		"d @ - - - 0",
		"d @ - - - -",
		"e @/a/b - - - 0",
		"e @/* - - - 0",
		"d @ - - - 0\nd @/a - - - -",
		"d @ - - - 0\nx @/a",
		"d @ - - - 0\nX @/a",
		"d @ - - - 0\nX @/a/b",
		"d @ - - - 0\nx @/*",
		"d @ - - - 0\nx @/*b",
		"d @ - - - 0\nx @/a/b/*.lock",
		"d @ - - - 0\nz @/a 0755 - - -",
		"d @/a/b - - - 100d\nd @ - - - 0",
		`d "@/a/b" - - - 0`,
	} {
		top := t.TempDir()
		lock := filepath.Join(top, "a", "b"+sample)
		if err := os.MkdirAll(filepath.Dir(lock), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(lock, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(rules, "@", top) + "\n"
		conf := filepath.Join(t.TempDir(), "a.conf")
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program, "--clean", conf).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", rules, err, out)
		}
		parsed, err := readRules(files("etc/tmpfiles.d/a.conf", text))
		if err != nil {
			t.Fatal(err)
		}
		r, found := aged(parsed, filepath.Dir(lock))
		found = found && r.age != "100d"
		_, err = os.Lstat(lock)
		if removed := err != nil; removed != found {
			t.Errorf("%s: removed %v, and aged says %v", rules, removed, found)
		} else if removed {
			gone++
		} else {
			kept++
		}
	}
	if gone == 0 || kept == 0 {
		t.Errorf("%d were removed and %d kept: that tells nothing", gone, kept)
	}
}
