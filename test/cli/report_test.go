package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
	"golang.org/x/sys/unix"
)

// noLeftovers checks that beside the files that were asked for there is none.
func noLeftovers(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		got = append(got, f.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("in %s there is %q, want %q", dir, got, want)
	}
}

// What really ran is in the report, and looking at it changes nothing.
func TestReportOfWhatIsHeld(t *testing.T) {
	b := newBox(t)
	writeHistory(t, b.dir, "backup", newJob(time.Now().Add(-time.Hour), time.Minute, 10*time.Second, "/usr/local/bin/backup.sh").entries(50))
	h := b.hold("backup")
	before, err := os.ReadFile(filepath.Join(b.dir, "backup.history"))
	must(t, err)
	page := b.expect(0, "report", "backup").stdout // no terminal: standard output
	mustContain(t, page, "<!DOCTYPE html>", "backup", `class="badge held">held`, fmt.Sprintf("pid %d", h.Process.Pid), "The last runs and skips", "/usr/local/bin/backup.sh")
	all := b.expect(0, "report", "-o", "-").stdout
	mustContain(t, all, `href="#n-backup"`)
	after, err := os.ReadFile(filepath.Join(b.dir, "backup.history"))
	must(t, err)
	if string(before) != string(after) {
		t.Error("the history changed")
	}
}

func TestReportIsReplacedAsAWhole(t *testing.T) {
	b := newBox(t)
	dir := b.file("out")
	must(t, os.Mkdir(dir, 0o700))
	file := filepath.Join(dir, "r.html")
	for mask, mode := range map[int]os.FileMode{0o022: 0o644, 0o077: 0o600} {
		c := b.command("sh", "-c", fmt.Sprintf("umask %04o; exec %s report -o %s", mask, b.bin, file))
		if o := b.finish(c); o.code != 0 {
			t.Fatal(o)
		}
		st, err := os.Stat(file)
		must(t, err)
		if st.Mode() != mode {
			t.Errorf("with umask %04o the mode is %v", mask, st.Mode())
		}
	}
	noLeftovers(t, dir, "r.html")

	// A write that fails leaves what was there.
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	o := b.finish(b.command("sh", "-c", fmt.Sprintf("ulimit -f 1; trap '' XFSZ; exec %s report -o %s", b.bin, file)))
	if o.code != 73 || !strings.Contains(o.stderr, "file too large") {
		t.Errorf("a limit of the size of files: %v", o)
	}
	if text, _ := os.ReadFile(file); string(text) != "old" {
		t.Errorf("the file is %.40q", text)
	}
	noLeftovers(t, dir, "r.html")
}

func TestReportOnAFullDisk(t *testing.T) {
	needRoot(t)
	b := newBox(t)
	dir := b.file("small")
	must(t, os.Mkdir(dir, 0o700))
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8k,mode=700"); err != nil {
		t.Skipf("mount: %v", err)
	}
	defer func() { _ = unix.Unmount(dir, 0) }()
	file := filepath.Join(dir, "r.html")
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	o := b.expect(73, "report", "-o", file)
	mustContain(t, o.stderr, "no space left", "hint: make room")
	if text, _ := os.ReadFile(file); string(text) != "old" {
		t.Errorf("the file is %.40q", text)
	}
	noLeftovers(t, dir, "r.html")
	if o := b.finish(b.command("sh", "-c", b.bin+" report >/dev/full")); o.code != 71 {
		t.Errorf("standard output is full: %v", o)
	}
}

// What is there is replaced only if it is a file: a link is not followed and not put away, nor is a device.
func TestReportReplacesOnlyFiles(t *testing.T) {
	b := newBox(t)
	precious := b.file("precious")
	must(t, os.WriteFile(precious, []byte("precious"), 0o600))
	must(t, os.Symlink(precious, b.file("link")))
	must(t, os.Symlink(b.file("nothing"), b.file("dangling")))
	must(t, os.Mkdir(b.file("directory"), 0o700))
	must(t, syscall.Mkfifo(b.file("fifo"), 0o600))
	for name, kind := range map[string]string{"link": "a symbolic link", "dangling": "a symbolic link", "directory": "a directory", "fifo": "a FIFO"} {
		before, err := os.Lstat(b.file(name))
		must(t, err)
		o := b.expect(73, "report", "-o", b.file(name))
		mustContain(t, o.stderr, "report: ", kind, "would be replaced")
		if after, err := os.Lstat(b.file(name)); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s was replaced", name)
		}
	}
	mustContain(t, b.expect(73, "report", "-o", "/dev/null").stderr, "a device")
	if text, _ := os.ReadFile(precious); string(text) != "precious" {
		t.Errorf("the target of the link is %.40q", text)
	}
	if _, err := os.Lstat(b.file("nothing")); err == nil {
		t.Error("the target of the link was made")
	}
	b.expect(73, "report", "-o", b.file("no/such/r.html"))
	b.expect(73, "report", "-o", "/proc/r.html")
	b.expect(73, "report", "-o", b.file(strings.Repeat("n", 300)))
	b.expect(0, "report", "-o", b.file(strings.Repeat("n", 255)))
}

func TestReportRefusals(t *testing.T) {
	b := newBox(t)
	for _, args := range [][]string{
		{"report", ""}, {"report", "../x"}, {"report", "a", "b"}, {"report", "-o"}, {"report", "-o", ""}, {"report", "--since", "yesterday"}, {"report", "--since=-1"},
		{"report", strings.Repeat("x", 129)},
	} {
		if o := b.run(args...); o.code != 64 || o.stdout != "" {
			t.Errorf("%q: %v", args, o)
		}
	}
	o := b.expect(0, "report", "nothing")
	mustContain(t, o.stderr, "nothing has not run yet")
	mustContain(t, o.stdout, "It has not run yet.")
	mustContain(t, b.expect(0, "report", "--dir", b.file("missing")).stdout, "No name has run in")
}

// A history that may not be read costs only itself, and it is said.
func TestReportWithoutOneHistory(t *testing.T) {
	b := newBox(t)
	writeHistory(t, b.dir, "good", newJob(time.Now().Add(-time.Hour), time.Minute, time.Second, "true").entries(5))
	must(t, os.Symlink("/etc/passwd", filepath.Join(b.dir, "bad.history")))
	must(t, os.WriteFile(filepath.Join(b.dir, "torn.history"), []byte(`{"name":"torn","run":1,"star`), 0o600))
	o := b.expect(77, "report")
	mustContain(t, o.stderr, "the history of bad")
	mustContain(t, o.stdout, "Not in this page", `href="#n-good"`, "1 line of the history cannot be read")
	if strings.Contains(o.stdout, "root:x") {
		t.Error("the link was followed")
	}
}

// Records that ended before are left out; a run of which the end is within stays.
func TestReportSince(t *testing.T) {
	b := newBox(t)
	now := time.Now()
	writeHistory(t, b.dir, "n", []history.Entry{
		{Run: 1, Started: now.Add(-50 * time.Hour), Ended: now.Add(-49 * time.Hour), Lasted: time.Hour, Outcome: history.Failed, ExitCode: 41},
		{Run: 2, Started: now.Add(-26 * time.Hour), Ended: now.Add(-23 * time.Hour), Lasted: 3 * time.Hour, Outcome: history.Failed, ExitCode: 42},
	})
	page := b.expect(0, "report", "--since", "1d").stdout
	if strings.Contains(page, "exit code 41") || !strings.Contains(page, "exit code 42") {
		t.Error("not what ended within a day")
	}
}

// A large history does not make a large page, or a slow one.
func TestReportOfManyRecords(t *testing.T) {
	b := newBox(t)
	writeHistory(t, b.dir, "often", newJob(time.Now().Add(-14*24*time.Hour), 2*time.Minute, 28*time.Second, strings.Repeat("x", 1500)).entries(10000))
	page := b.expect(0, "report").stdout
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	mustContain(t, page, "10,000 records are summed up here")
}
