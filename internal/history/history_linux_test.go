package history

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
)

func dirFor(t testing.TB) *lockdir.Dir {
	t.Helper()
	d, err := lockdir.Open(t.TempDir(), lockdir.Use)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func add(t testing.TB, d *lockdir.Dir, e Entry, limit int64) {
	t.Helper()
	if err := Append(d, &e, limit); err != nil {
		t.Fatal(err)
	}
}

// runs are the run numbers that both ways of reading give, oldest first.
func runs(t testing.TB, f Files) (numbers []uint64, found Found) {
	t.Helper()
	found, err := f.Forward(func(l *Line) { numbers = append(numbers, l.Run) })
	if err != nil {
		t.Fatal(err)
	}
	var lines []Line
	if _, err := f.Backward(func(l *Line) bool { lines = append(lines, *l); return true }); err != nil {
		t.Fatal(err)
	}
	lines = Sort(lines)
	for i, l := range lines {
		if i >= len(numbers) || l.Run != numbers[i] {
			t.Fatalf("backward gives %d at %d of %v", l.Run, i, numbers)
		}
	}
	if len(lines) != len(numbers) {
		t.Fatalf("forward gives %d records, backward %d", len(numbers), len(lines))
	}
	return numbers, found
}

func TestAppendManyAtOnce(t *testing.T) {
	d := dirFor(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				e := Entry{Name: "n", Run: uint64(1 + i*500 + j), Outcome: OK, Command: []string{strings.Repeat("x", j)}}
				if err := Append(d, &e, 1<<40); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, found := runs(t, FilesIn(d, "n"))
	seen := map[uint64]bool{}
	for _, n := range got {
		seen[n] = true
	}
	if len(got) != 4000 || len(seen) != 4000 || found.Torn != 0 {
		t.Errorf("%d records of %d runs, %d torn", len(got), len(seen), found.Torn)
	}
}

// Each prefix of a line may be left by a full disk or a kill, or zeros by a power cut.
func TestTornLineCostsNoOther(t *testing.T) {
	whole := string(encode(t, &Entry{Name: "n", Run: 2, Outcome: OK, Command: []string{"a"}}))
	for cut := 1; cut < len(whole); cut++ {
		for _, torn := range []string{whole[:cut], strings.Repeat("\x00", cut)} {
			d := dirFor(t)
			add(t, d, Entry{Name: "n", Run: 1, Outcome: OK}, Limit)
			f, err := os.OpenFile(d.History("n"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(torn); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			add(t, d, Entry{Name: "n", Run: 3, Outcome: OK}, Limit)
			if got, found := runs(t, FilesIn(d, "n")); fmt.Sprint(got) != "[1 3]" || found.Torn != 1 {
				t.Fatalf("after %q: %v, %d torn", torn, got, found.Torn)
			}
			_ = os.Remove(d.History("n"))
		}
	}
}

// Two appends may come between the look at the last byte and the write.
func TestRecordBehindATornOneInItsLine(t *testing.T) {
	d := dirFor(t)
	whole := string(encode(t, &Entry{Name: "n", Run: 2, Outcome: OK, Command: []string{`{"name":"`}}))
	if err := os.WriteFile(d.History("n"), []byte(whole[:len(whole)/2]+whole+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := runs(t, FilesIn(d, "n")); fmt.Sprint(got) != "[2]" {
		t.Errorf("%v", got)
	}
}

func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small filesystem needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8k,mode=700"); err != nil {
		t.Skipf("mount: %v", err)
	}
	defer func() { _ = unix.Unmount(dir, 0) }()
	d, err := lockdir.Open(dir, lockdir.Use)
	if err != nil {
		t.Fatal(err)
	}
	var full error
	kept := 0
	for run := 1; full == nil && run < 1000; run++ {
		full = Append(d, &Entry{Name: "n", Run: uint64(run), Outcome: OK}, Limit)
		kept = run - 1
	}
	if full == nil || !strings.Contains(full.Error(), "no space left") {
		t.Fatalf("%v", full)
	}
	if got, found := runs(t, FilesIn(d, "n")); len(got) != kept || found.Torn != 1 {
		t.Errorf("%d of %d kept, %d torn", len(got), kept, found.Torn)
	}
}

// Rotation keeps what is counted, and at most two files.
func TestRotation(t *testing.T) {
	d := dirFor(t)
	const limit, each = 64 << 10, 2000
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range each {
				e := Entry{Name: "n", Run: uint64(1 + i*each + j), Outcome: OK, Ended: time.Unix(int64(j), 0)}
				if i == 0 {
					e.Run, e.Outcome = 0, Skipped
				}
				if err := Append(d, &e, limit); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var total Totals
	found, err := FilesIn(d, "n").Forward(func(l *Line) { total.Add(l) })
	if err != nil {
		t.Fatal(err)
	}
	sum := total.Plus(found.Before)
	if sum.Count[OK] != 3*each || sum.Count[Skipped] != each || sum.Runs() != 3*each || sum.LastOK.Unix() != each-1 {
		t.Errorf("counted %v, last %v", sum.Count, sum.LastOK)
	}
	entries, err := os.ReadDir(d.Path())
	if err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}

// Somebody who writes puts a rotation off; one who is alone has it done.
func TestFilesStaySmall(t *testing.T) {
	d := dirFor(t)
	const limit = 16 << 10
	for run := range uint64(2000) {
		add(t, d, Entry{Name: "n", Run: run + 1, Outcome: OK}, limit)
		for _, path := range []string{FilesIn(d, "n").Current, FilesIn(d, "n").Older} {
			if st, err := os.Stat(path); err == nil && st.Size() > limit+2*MaxLine {
				t.Fatalf("%s has %d bytes after run %d", path, st.Size(), run+1)
			}
		}
	}
}

func TestClosingRecordOfARunThatHasOne(t *testing.T) {
	d := dirFor(t)
	before := time.Unix(1e9, 0)
	add(t, d, Entry{Name: "n", Run: 1, Outcome: OK}, Limit)
	add(t, d, Entry{Name: "n", Run: 1, Outcome: Crashed, EndedBefore: before}, Limit)
	add(t, d, Entry{Name: "n", Run: 2, Outcome: Crashed, EndedBefore: before}, Limit)
	add(t, d, Entry{Name: "n", Run: 2, Outcome: Replaced, EndedBefore: before}, Limit)
	add(t, d, Entry{Name: "n", Run: 3, Outcome: Ended, EndedBefore: before}, Limit)
	if got, _ := runs(t, FilesIn(d, "n")); fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("%v", got)
	}
}

func TestNotTrusted(t *testing.T) {
	d := dirFor(t)
	for name, put := range map[string]func(path string) error{
		"link":      func(p string) error { return os.Symlink("/etc/hostname", p) },
		"fifo":      func(p string) error { return unix.Mkfifo(p, 0o600) },
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"writable":  func(p string) error { return errorsOf(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o622)) },
	} {
		if err := put(d.History(name)); err != nil {
			t.Fatal(err)
		}
		if err := Append(d, &Entry{Name: name, Run: 1, Outcome: OK}, Limit); err == nil {
			t.Errorf("%s: appended", name)
		}
		if _, err := FilesIn(d, name).Forward(func(*Line) {}); err == nil && name != "writable" {
			t.Errorf("%s: read", name)
		}
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// What others write, too: any order of keys, more keys, long lines, no records.
func TestForeignLines(t *testing.T) {
	d := dirFor(t)
	lines := []string{
		`{"outcome":"ok","run":1,"name":"n","started_at":"2026-11-24T02:00:01+01:00","ended_at":"2026-11-24T02:00:02Z","seconds":1,"more":[]}`,
		`{"name":"n","run":2,"started_at":"2026-11-24T02:00:01.123Z","ended_at":"2026-11-24T02:00:01.123Z","seconds":1e3,"outcome":"ok"}`,
		`{"name":"n","run":3,"seconds":-1,"outcome":"ok"}`, `{"name":"n","outcome":"well"}`, `{}`, `[`, `null`, "\x00\x00",
		`{"name":"` + strings.Repeat("x", 3*longest) + `","run":4,"outcome":"ok"}`,
		`{"name":"n","run":5,"outcome":"failed"}`, ``, ``,
	}
	if err := os.WriteFile(d.History("n"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, found := runs(t, FilesIn(d, "n")); fmt.Sprint(got) != "[1 2 5]" || found.Torn != 7 {
		t.Errorf("%v, %d torn", got, found.Torn)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"n","run":1,"started_at":"2026-11-24T02:00:01.123Z","ended_at":"2026-11-24T02:00:01.123Z","seconds":1.000,"outcome":"ok"}`))
	f.Add([]byte(`{"before":{"ok":1},"last_ok":"2026-11-24T02:00:01.123Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) == 0 {
			return
		}
		if l, ok := parse(line); ok {
			if e, ok := l.Entry(); ok && e.Outcome == None {
				t.Errorf("%q: no outcome", line)
			}
		}
		totalsOf(line)
	})
}
