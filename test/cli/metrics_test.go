package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/lockdir"
)

// metric is the value of a sample, -1 if there is none.
func metric(t testing.TB, text, sample string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if v, is := strings.CutPrefix(line, sample+" "); is {
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			must(t, err)
			return f
		}
	}
	return -1
}

// promtool finds nothing wrong, whatever there is.
func TestMetricsForPromtool(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	for name, make := range map[string]func(b *box){
		"nothing": func(*box) {},
		"free":    func(b *box) { b.takes("n") },
		"held":    func(b *box) { b.hold("n"); b.hold("--slots", "2", "s") },
		"odd":     func(b *box) { writeHistory(b, b.dir, "x.y-z@a:b+c", oddEntries(time.Now())) },
		"outcomes": func(b *box) {
			writeHistory(b, b.dir, "n", newJob(time.Now(), time.Minute, time.Second, "true").entries(500))
		},
		"unreadable": func(b *box) {
			must(b, os.Symlink("/etc/passwd", filepath.Join(b.dir, "bad.history")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			make(b)
			o := b.run("metrics")
			if want := map[bool]int{true: 77}[name == "unreadable"]; o.code != want {
				t.Errorf("want exit %d, got %v", want, o)
			}
			c := b.command(promtool, "check", "metrics")
			c.Stdin = strings.NewReader(o.stdout)
			if p := b.finish(c); p.code != 0 || p.stderr != "" {
				t.Errorf("promtool: %v\n%s", p, o.stdout)
			}
			if got, want := metric(t, o.stdout, "sole_unreadable"), map[bool]float64{true: 1}[name == "unreadable"]; got != want {
				t.Errorf("sole_unreadable is %v", got)
			}
		})
	}
	// The control: it can find something.
	b := newBox(t)
	c := b.command(promtool, "check", "metrics")
	c.Stdin = strings.NewReader("# HELP sole_runs x\n# TYPE sole_runs counter\nsole_runs 1\n")
	if o := b.finish(c); o.code == 0 {
		t.Errorf("promtool finds everything good: %v", o)
	}
}

// The example alerts are right, and fire when they should.
func TestMetricsAlerts(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	dir, err := filepath.Abs("../../examples/prometheus")
	must(t, err)
	b := newBox(t)
	rules, err := os.ReadFile(filepath.Join(dir, "sole.rules.yml"))
	must(t, err)
	for _, args := range [][]string{{"check", "rules", "sole.rules.yml"}, {"test", "rules", "sole.rules.test.yml"}} {
		c := b.command(promtool, args...)
		c.Dir = dir
		if o := b.finish(c); o.code != 0 {
			t.Errorf("promtool %q: %v", args, o)
		}
	}
	// Each metric of sole that they use is one that is written, and each alert has its test.
	writeHistory(t, b.dir, "n", newJob(time.Now(), time.Minute, time.Second, "true").entries(500))
	b.hold("n")
	text := b.expect(0, "metrics").stdout
	tests, err := os.ReadFile(filepath.Join(dir, "sole.rules.test.yml"))
	must(t, err)
	for line := range strings.Lines(string(rules)) {
		if alert, is := strings.CutPrefix(strings.TrimSpace(line), "- alert: "); is && !strings.Contains(string(tests), "alertname: "+alert+"\n") {
			t.Errorf("no test lets %s fire", alert)
		}
		for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			if strings.HasPrefix(word, "sole_") && !strings.Contains(text, "# TYPE "+word+" ") {
				t.Errorf("%s is not written", word)
			}
		}
	}
}

// What is held is so, and what is free too.
func TestMetricsOfWhatIsHeld(t *testing.T) {
	b := newBox(t)
	now := time.Now()
	var all []history.Entry
	for i := range 4 {
		at := now.Add(time.Duration(i-10) * time.Minute)
		all = append(all, history.Entry{Run: uint64(i + 1), Started: at, Ended: at.Add(time.Minute), Lasted: time.Minute, Outcome: history.OK})
	}
	writeHistory(t, b.dir, "backup", all)
	b.takes("free")
	h := b.hold("backup")
	text := b.expect(0, "metrics").stdout
	for sample, want := range map[string]float64{
		`sole_held{name="backup"}`: 1, `sole_holders{name="backup"}`: 1, `sole_held{name="free"}`: 0,
		`sole_usual_seconds{name="backup"}`: 60, `sole_usual_p95_seconds{name="backup"}`: 60,
	} {
		if got := metric(t, text, sample); got != want {
			t.Errorf("%s is %v, want %v", sample, got, want)
		}
	}
	if ok := metric(t, text, `sole_runs_total{name="backup",outcome="ok"}`); ok < 4 {
		t.Errorf("%v runs succeeded", ok)
	}
	if at := metric(t, text, `sole_run_start_timestamp_seconds{name="backup"}`); at < float64(now.Unix()-1) || at > float64(time.Now().Unix()+1) {
		t.Errorf("the run began at %v", at)
	}
	if metric(t, text, `sole_run_seconds{name="free"}`) != -1 {
		t.Error("a free name has a run")
	}
	// Its supervisor is killed, its command goes on.
	must(t, h.Process.Kill())
	h.wait()
	if text = b.expect(0, "metrics").stdout; metric(t, text, `sole_orphaned{name="backup"}`) != 1 {
		t.Error("the run is not known to be orphaned")
	}
	h.stdin.Close()
}

// Counters never go back, however often files become the older ones while they are read.
func TestMetricsAreMonotonic(t *testing.T) {
	b := newBox(t)
	dir, err := lockdir.Open(b.dir, lockdir.Use)
	must(t, err)
	const each = 6000
	written := make(chan error, 1)
	go func() {
		for i := range each {
			e := history.Entry{Name: "n", Run: uint64(i + 1), Started: time.Now(), Ended: time.Now(), Outcome: history.OK}
			if i%3 == 0 {
				e.Run, e.Outcome = 0, history.Skipped
			}
			if err := history.Append(dir, &e, 16<<10); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	var ok, skips float64
	reads := 0
	look := func() {
		text := b.expect(0, "metrics", "-o", "-").stdout
		o, s := metric(t, text, `sole_runs_total{name="n",outcome="ok"}`), metric(t, text, `sole_skips_total{name="n"}`)
		if o < ok || s < skips {
			t.Errorf("after %v and %v there are %v and %v", ok, skips, o, s)
		}
		ok, skips = max(o, ok), max(s, skips)
		reads++
	}
	for done := false; !done; {
		select {
		case err := <-written:
			must(t, err)
			done = true
		default:
			look()
		}
	}
	look()
	if ok != each*2/3 || skips != each/3 || reads < 3 {
		t.Errorf("%v runs and %v skips are counted in %d reads", ok, skips, reads)
	}
}

func TestMetricsFile(t *testing.T) {
	b := newBox(t)
	dir := b.file("textfiles")
	must(t, os.Mkdir(dir, 0o755))
	file := filepath.Join(dir, "sole.prom")
	c := b.command("sh", "-c", fmt.Sprintf("umask 022; exec %s metrics -o %s", b.bin, file))
	if o := b.finish(c); o.code != 0 || o.stdout != "" {
		t.Fatal(o)
	}
	text, err := os.ReadFile(file)
	must(t, err)
	mustContain(t, string(text), "sole_unreadable 0")
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o644 { // the collector is another user
		t.Errorf("%v, %v", st.Mode(), err)
	}
	noLeftovers(t, dir, "sole.prom")
	for _, args := range [][]string{{"metrics", "n"}, {"metrics", "-o", ""}, {"metrics", "--since", "1d"}} {
		if o := b.run(args...); o.code != 64 || o.stdout != "" {
			t.Errorf("%q: %v", args, o)
		}
	}
	mustContain(t, b.expect(73, "metrics", "-o", "/dev/null").stderr, "a device")
	if o := b.finish(b.command("sh", "-c", b.bin+" metrics >/dev/full")); o.code != 71 {
		t.Errorf("standard output is full: %v", o)
	}
	if o := b.expect(0, "metrics", "--dir", b.file("missing")); o.stderr != "" {
		t.Errorf("no name has run: %v", o)
	}
}
