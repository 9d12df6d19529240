package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// remembered is a record of a history.
type remembered struct {
	Name          string    `json:"name"`
	Run           uint64    `json:"run"`
	StartedAt     time.Time `json:"started_at"`
	EndedAt       time.Time `json:"ended_at"`
	Seconds       float64   `json:"seconds"`
	Outcome       string    `json:"outcome"`
	ExitCode      *int      `json:"exit_code"`
	Signal        *string   `json:"signal"`
	User          string    `json:"user"`
	Host          string    `json:"host"`
	PID           int       `json:"pid"`
	EndedBefore   time.Time `json:"ended_before"`
	HolderRun     uint64    `json:"holder_run"`
	HolderPID     int       `json:"holder_pid"`
	HolderStarted time.Time `json:"holder_started_at"`
	Command       []string  `json:"command"`
}

func (r remembered) String() string {
	s := fmt.Sprintf("%d %s", r.Run, r.Outcome)
	if r.ExitCode != nil {
		s += fmt.Sprintf(" %d", *r.ExitCode)
	}
	if r.Signal != nil {
		s += " " + *r.Signal
	}
	return s
}

// history is what `sole history --json` says.
func (b *box) history(name string) (all []remembered) {
	b.Helper()
	must(b, json.Unmarshal([]byte(b.expect(0, "history", "-n", "0", "--json", name).stdout), &all))
	return all
}

// remembers fails unless the history is that.
func (b *box) remembers(name string, want ...string) []remembered {
	b.Helper()
	all := b.history(name)
	got := make([]string, len(all))
	for i, r := range all {
		got[i] = r.String()
	}
	if !slices.Equal(got, want) {
		b.Errorf("the history of %s:\n got %q\nwant %q", name, got, want)
	}
	return all
}

var passing = regexp.MustCompile(`"(started_at|ended_at|ended_before|holder_started_at)":"[^"]+"|"(seconds|pid|holder_pid)":[0-9.]+`)

// historySays is the history of n without what differs each time.
func (b *box) historySays() string {
	data, err := os.ReadFile(filepath.Join(b.dir, "n.history"))
	if err != nil {
		return fmt.Sprint(errors.Is(err, fs.ErrNotExist), err)
	}
	for line := range strings.Lines(string(data)) {
		if !json.Valid([]byte(line)) {
			b.Errorf("no JSON: %s", line)
		}
	}
	return passing.ReplaceAllString(string(data), `"$1$2":N`)
}

// bothWays runs the test with the early start and without.
func bothWays(t *testing.T, test func(*box)) {
	t.Parallel()
	for name, bin := range map[string]string{"early": binary, "plain": plainBinary} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.bin = bin
			test(b.warm("n"))
		})
	}
}

func TestHistoryOfOutcomes(t *testing.T) {
	bothWays(t, func(b *box) {
		host, err := os.Hostname()
		must(b, err)
		b.expect(3, "run", "n", "--", "sh", "-c", "exit 3", "a\n\"b\"\x01")
		b.run("run", "n", "--", "sh", "-c", "kill -SEGV $$")
		b.expect(124, "run", "--max-time", "0.05", "n", "--", "sleep", "100")
		b.expect(127, "run", "n", "--", "no-such-program")
		b.expect(126, "run", "n", "--", "/etc")
		before := time.Now().Add(-time.Millisecond)
		h := b.hold("n")
		st := b.status("n")
		b.skips("n")
		b.expect(75, "run", "--wait=0.01", "n", "--", "true")
		h.release()
		all := b.remembers("n", "1 ok 0", "2 failed 3", "3 signaled SIGSEGV", "4 timeout SIGTERM", "5 failed 127", "6 failed 126",
			"0 skipped", "0 skipped", "7 ok 0")
		for _, r := range all {
			if r.Name != "n" || r.User != userName(b) || r.Host != host || r.EndedAt.Before(r.StartedAt) || r.PID <= 0 || !r.EndedBefore.IsZero() ||
				r.EndedAt.Sub(r.StartedAt).Seconds()-r.Seconds > 0.05 {
				b.Errorf("%+v", r)
			}
		}
		if got := all[1].Command; !slices.Equal(got, []string{"sh", "-c", "exit 3", "a\n\"b\"\x01"}) {
			b.Errorf("the command is %q", got)
		}
		if last := all[8]; last.StartedAt.Before(before) || last.PID != st.PID {
			b.Errorf("%+v", last)
		}
		for _, r := range all[6:8] {
			if r.HolderRun != 7 || r.HolderPID != st.PID || !r.HolderStarted.Equal(all[8].StartedAt) || r.StartedAt.Before(r.HolderStarted) {
				b.Errorf("%+v", r)
			}
		}
		if all[6].Seconds != 0 || all[7].Seconds < 0.01 || all[7].Seconds > 5 {
			b.Errorf("waited %v and %v", all[6].Seconds, all[7].Seconds)
		}
	})
}

func userName(b *box) string { return strings.TrimSpace(b.finish(b.command("id", "-un")).stdout) }

// crash kills the supervisor, which has written down its command.
func (b *box) crash(h *held) {
	b.Helper()
	b.eventually("the command is written down", func() bool {
		st := b.status("n")
		for _, one := range st.holders() {
			if one.PID == h.Process.Pid && one.ChildPID != 0 {
				return true
			}
		}
		return false
	})
	must(b, h.Process.Kill())
}

// A run whose supervisor died is closed by the next start.
func TestHistoryOfACrash(t *testing.T) {
	bothWays(t, func(b *box) {
		h := b.hold("n")
		b.crash(h)
		h.wait() // the command goes on
		b.skips("n")
		if st := b.status("n"); !st.Orphaned {
			b.Fatalf("%+v", st)
		}
		b.remembers("n", "1 ok 0", "0 skipped")
		must(b, h.stdin.Close())
		b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
		b.takes("n")
		all := b.remembers("n", "1 ok 0", "0 skipped", "2 crashed", "3 ok 0")
		// It was last known to hold the name when it was skipped, and ended before the next start.
		c := all[2]
		if c.EndedBefore.IsZero() || c.EndedAt.Before(all[1].StartedAt.Add(-time.Second)) || c.EndedBefore.Before(c.EndedAt) || all[3].StartedAt.Before(c.EndedBefore.Add(-time.Millisecond)) ||
			len(c.Command) != 3 || c.PID != h.Process.Pid {
			b.Errorf("%+v", c)
		}
	})
}

// Or by whoever looks at the history, once.
func TestHistoryClosesACrashWhenItIsLookedAt(t *testing.T) {
	bothWays(t, func(b *box) {
		h := b.hold("n")
		b.crash(h)
		h.wait()
		b.remembers("n", "1 ok 0") // the command holds it
		must(b, h.stdin.Close())
		b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
		for range 3 {
			b.remembers("n", "1 ok 0", "2 crashed")
		}
		b.takes("n")
		b.remembers("n", "1 ok 0", "2 crashed", "3 ok 0")
		if n := strings.Count(b.historySays(), "crashed"); n != 1 {
			b.Errorf("%d records", n)
		}
	})
}

// Of a program that held the name itself nobody knows how it ended.
func TestHistoryOfExec(t *testing.T) {
	bothWays(t, func(b *box) {
		b.expect(3, "run", "--exec", "n", "--", "sh", "-c", "exit 3", "a\t\\b\"")
		b.expect(0, "run", "--exec", "n", "--", "true")
		b.takes("n")
		all := b.remembers("n", "1 ok 0", "2 ended", "3 ended", "4 ok 0")
		if !slices.Equal(all[1].Command, []string{"sh", "-c", "exit 3", "a\t\\b\""}) {
			b.Errorf("%q", all[1].Command)
		}
	})
}

func TestHistoryOfAReplacement(t *testing.T) {
	bothWays(t, func(b *box) {
		h := b.hold("n")
		b.expect(0, "run", "--replace", "n", "--", "true")
		h.wait()
		b.remembers("n", "1 ok 0", "2 replaced SIGTERM", "3 ok 0")
		// One that does not end by itself is killed together with its supervisor, which cannot say so.
		h = b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; echo up $$; while :; do sleep 100; done`))
		b.expect(0, "run", "--replace", "--kill-tree", "--grace", "0.05", "n", "--", "true")
		h.wait()
		all := b.history("n")
		if r := all[3]; r.Run != 4 || r.Outcome != "replaced" {
			b.Errorf("%v", all)
		}
	})
}

// Several may share a name, and each has its end.
func TestHistoryOfShared(t *testing.T) {
	b := newBox(t)
	one, two := b.hold("--shared", "n"), b.hold("--slots", "2", "n")
	two.release()
	b.crash(one)
	one.wait()
	must(t, one.stdin.Close())
	b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
	b.expect(0, "run", "--shared", "n", "--", "true") // it gets the seat of the one that was killed
	b.remembers("n", "2 ok 0", "1 crashed", "3 ok 0")
	for range 3 {
		b.expect(0, "run", "--shared", "n", "--", "sleep", "0.02")
	}
	if st := b.status("n"); st.Usual < 0.01 || st.Usual > 5 {
		t.Errorf("usually %v s", st.Usual)
	}
}

// A run is not refused because its history cannot be written: it is said, once.
func TestRunWithoutHistory(t *testing.T) {
	bothWays(t, func(b *box) {
		needRoot(b.T)
		for name, spoil := range map[string]func(path string){
			"directory": func(p string) { must(b, os.Mkdir(p, 0o700)) },
			"link":      func(p string) { must(b, os.Symlink("/dev/null", p)) },
			"fifo":      func(p string) { must(b, unix.Mkfifo(p, 0o600)) },
			"writable":  func(p string) { must(b, os.WriteFile(p, nil, 0o600)); must(b, os.Chmod(p, 0o666)) },
			"foreign":   func(p string) { must(b, os.WriteFile(p, nil, 0o600)); must(b, os.Chown(p, nobody, nobody)) },
			"immutable": func(p string) {
				must(b, os.WriteFile(p, []byte("{}\n"), 0o600))
				if o := b.finish(b.command("chattr", "+i", p)); o.code != 0 {
					b.Skipf("chattr: %v", o)
				}
				b.Cleanup(func() { b.finish(b.command("chattr", "-i", p)) })
			},
		} {
			path := filepath.Join(b.dir, name+".history")
			spoil(path)
			o := b.expect(0, "run", name, "--", "echo", "ran")
			if n := strings.Count(o.stderr, "sole: "+name+": "); o.stdout != "ran\n" || n != 1 || strings.Count(o.stderr, "\n")-strings.Count(o.stderr, "sole: hint: ") != 1 {
				b.Errorf("%s: %v", name, o)
			}
			if name == "writable" {
				mustContain(b, o.stderr, "sole: hint: chmod 600 "+path)
			}
			mustContain(b, o.stderr, "sole: "+name+": its history could not be written: ", path)
			h := b.hold(name)
			o = b.expect(75, "run", name, "--", "true")
			if n := strings.Count(o.stderr, "\n") - strings.Count(o.stderr, "sole: hint: "); n != 2 {
				b.Errorf("%s, a skip: %v", name, o)
			}
			o = b.expect(75, "run", "-q", name, "--", "true")
			if o.stderr != "" {
				b.Errorf("%s, a quiet skip: %v", name, o)
			}
			h.release()
		}
	})
}

func TestFullDiskAndHistory(t *testing.T) {
	bothWays(t, func(b *box) {
		needRoot(b.T)
		must(b, unix.Mount("tmpfs", b.dir, "tmpfs", 0, "size=24k,mode=700"))
		b.Cleanup(func() { _ = unix.Unmount(b.dir, unix.MNT_DETACH) })
		b.warm("n")
		f, err := os.Create(filepath.Join(b.dir, "filler"))
		must(b, err)
		for err == nil {
			_, err = f.Write(make([]byte, 512))
		}
		must(b, f.Close())
		said := 0
		for range 20 { // what is left of the history's page is used up
			o := b.expect(0, "run", "n", "--", "echo", "ran")
			if o.stdout != "ran\n" {
				b.Fatalf("%v", o)
			}
			if o.stderr != "" {
				said++
				mustContain(b, o.stderr, "sole: n: its history could not be written: cannot write "+filepath.Join(b.dir, "n.history")+": no space left on device\n")
			}
		}
		if said == 0 {
			b.Error("the disk is not full")
		}
		must(b, os.Remove(f.Name()))
		b.takes("n")
		all := b.history("n")
		if last := all[len(all)-1]; last.Run != 22 || last.Outcome != "ok" {
			b.Errorf("%v", all)
		}
	})
}

// The history may be deleted or rotated while a run goes on.
func TestHistoryDeletedDuringTheRun(t *testing.T) {
	bothWays(t, func(b *box) {
		h := b.hold("n")
		must(b, os.Remove(filepath.Join(b.dir, "n.history")))
		h.release()
		b.remembers("n", "2 ok 0")
		b.env = append(b.env, "SOLE_HISTORY_SIZE=600")
		b.takes("n")
		h = b.hold("n")
		for range 9 {
			b.skips("n")
		}
		h.release()
		all := b.history("n")
		if last := all[len(all)-1]; last.Run != 4 || len(all) > 6 {
			b.Errorf("%v", all)
		}
		files, err := filepath.Glob(b.dir + "/n.history*")
		if must(b, err); len(files) != 2 {
			b.Errorf("%v", files)
		}
		var stats []struct{ Runs, Skips int }
		must(b, json.Unmarshal([]byte(b.expect(0, "history", "--stats", "--json", "n").stdout), &stats))
		if stats[0].Runs != 3 || stats[0].Skips != 9 {
			b.Errorf("%+v", stats)
		}
	})
}

func TestHistorySwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.env = []string{"SOLE_HISTORY_SIZE=0"}
	b.takes("n")
	h := b.hold("n")
	b.skips("n")
	h.release()
	if _, err := os.Stat(filepath.Join(b.dir, "n.history")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, bad := range []string{"x", "-1", "4X", "1.5M", "99999999999999999999", "9999999999G", " ", "M"} {
		b.env = []string{"SOLE_HISTORY_SIZE=" + bad}
		o := b.expect(78, "run", "n", "--", "touch", b.file("witness"))
		mustContain(t, o.stderr, "sole: SOLE_HISTORY_SIZE is ")
		b.notRun()
	}
}

// A start that comes at once is remembered once, whatever the others do.
func TestHistoryOfManyAtOnce(t *testing.T) {
	bothWays(t, func(b *box) {
		h := b.hold("n")
		const starts = 100
		done := make(chan outcome, starts)
		for range starts {
			go func() { done <- b.run("run", "n", "--", "true") }()
		}
		for range starts {
			if o := <-done; o.code != 75 {
				b.Errorf("%v", o)
			}
		}
		h.release()
		if all := b.history("n"); len(all) != starts+2 {
			b.Errorf("%d records", len(all))
		}
	})
}

// The skip says how long runs usually take, and how many were skipped.
func TestSkipSaysTheUsual(t *testing.T) {
	bothWays(t, func(b *box) {
		b.takes("n")
		h := b.hold("n")
		if o := b.skips("n"); strings.Contains(o.stderr, "usually") { // two are not enough
			b.Errorf("%v", o)
		}
		h.release()
		for range 30 {
			b.expect(0, "run", "n", "--", "sleep", "0.1")
		}
		b.expect(1, "run", "n", "--", "false") // does not count
		h = b.hold("n")
		line := regexp.MustCompile(`^sole: n is already running: pid \d+ \(sh -c '.*'\), user \S+, since [0-9:]+ \(\d+s; usually 1\d\dms\); skipped(.*)\n$`)
		for i, row := range []string{"", ", 2nd in a row", ", 3rd in a row", ", 4th in a row"} {
			o := b.run("run", "n", "--", "touch", b.file("witness"))
			if m := line.FindStringSubmatch(o.stderr); m == nil || m[1] != row {
				b.Errorf("skip %d: %v", i+1, o)
			}
		}
		b.notRun()
		if st := b.status("n"); st.Usual < 0.1 || st.Usual > 0.2 {
			b.Errorf("usually %v s", st.Usual)
		}
		h.release()
		b.hold("n")
		if o := b.run("run", "n", "--", "true"); !strings.HasSuffix(o.stderr, "; skipped\n") {
			b.Errorf("the first skip of the next run: %v", o)
		}
	})
}

func TestAlertAfter(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	for i := range 5 {
		o := b.expect(75, "run", "--alert-after", "3", "n", "--", "true")
		if said := o.stderr != ""; said != (i >= 2) {
			t.Errorf("skip %d: %v", i+1, o)
		}
	}
	h.release()
	// Held beside the name, the lock file counts nothing.
	must(t, os.WriteFile(b.file("theirs"), nil, 0o600))
	f := b.start(b.command(need(t, "flock", "util-linux"), b.file("theirs"), "sh", "-c", holdScript))
	for i := range 5 {
		o := b.expect(75, "run", "--alert-after", "3", "--lock", b.file("theirs"), "m", "--", "true")
		if said := o.stderr != ""; said != (i >= 2) {
			t.Errorf("skip %d beside: %v", i+1, o)
		}
	}
	f.release()
	b.expect(64, "run", "--alert-after", "0", "n", "--", "true")
	b.expect(64, "run", "--alert-after", "x", "n", "--", "true")
}

func TestHistoryCommand(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	mustContain(t, b.expect(0, "history").stderr, "sole: no name has a history here")
	mustContain(t, b.expect(0, "history", "n").stderr, "sole: n has no history here")
	if o := b.expect(0, "history", "--json"); o.stdout != "[]\n" {
		t.Errorf("%v", o)
	}
	for _, bad := range [][]string{{"-n", "-1"}, {"-n", "x"}, {"--since", "yesterday"}, {"--since", ""}, {"n", "m"}, {""}, {"../n"}} {
		b.expect(64, append([]string{"history"}, bad...)...)
	}
	for range 4 {
		b.expect(0, "run", "n", "--", "true")
	}
	b.expect(1, "run", "m", "--", "false")
	o := b.expect(0, "history", "n")
	want := regexp.MustCompile(`(?s)^STARTED +RUN +OUTCOME +LASTED +VS USUAL +WHAT\n([0-9:]+ +\d +ok +\d+ms +[0-9.]+x +true\n){4}\nn: usually \d+ms, 95 in 100 runs within \d+ms\n$`)
	if !want.MatchString(o.stdout) {
		t.Errorf("%v", o)
	}
	h := b.hold("n")
	b.skips("n")
	o = b.expect(0, "history")
	mustContain(t, o.stdout, " NAME ", "failed 1", " running ", "run 5, pid ", " had it since ")
	if i, j := strings.Index(o.stdout, "running"), strings.Index(o.stdout, "skipped"); i > j {
		t.Errorf("a skip before the run that was in its way:\n%s", o.stdout)
	}
	h.release()
	if n := len(b.history("n")); n != 6 {
		t.Errorf("%d records", n)
	}
	var all []remembered
	must(t, json.Unmarshal([]byte(b.expect(0, "history", "-n", "3", "--json").stdout), &all))
	if len(all) != 3 || all[2].Run != 5 {
		t.Errorf("%v", all)
	}
	must(t, json.Unmarshal([]byte(b.expect(0, "history", "--since", "0", "--json").stdout), &all))
	if len(all) != 0 {
		t.Errorf("%v", all)
	}
	// Torn lines are counted, and what is there besides is shown.
	f, err := os.OpenFile(filepath.Join(b.dir, "n.history"), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"name":"n","run":6,"star`)
	must(t, errors.Join(err, f.Close()))
	b.takes("n")
	o = b.expect(0, "history", "n")
	mustContain(t, o.stderr, "sole: n: 1 line of its history cannot be read")
	if n := len(b.history("n")); n != 7 {
		t.Errorf("%d records", n)
	}
}

// What a command is called is not for the terminal to obey.
func TestHistoryShowsHostileWords(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.expect(0, "run", "n", "--", "true", "\x1b[2J\x1b]0;title\x07", "a\nb", "\xff\xfe", strings.Repeat("x", 5000))
	o := b.expect(0, "history", "n")
	if strings.ContainsAny(o.stdout, "\x1b\x07") || strings.Count(o.stdout, "\n") > 3 {
		t.Errorf("%q", o.stdout)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.takes("n")
	h := b.hold("n")
	b.crash(h)
	h.wait()
	must(t, h.stdin.Close())
	b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
	b.expect(0, "clean")
	b.remembers("n", "1 ok 0", "2 crashed") // what said so is gone
	held := b.hold("m")
	b.expect(0, "clean", "--history")
	if _, err := os.Stat(filepath.Join(b.dir, "n.history")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	held.release()
	b.remembers("m", "3 ok 0")
}
