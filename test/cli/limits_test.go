package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The flags that are refused together are those of the table in docs/waiting.md, each pair of
// flags tried, and the message says the table's reason.
func TestContradictionsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	type row struct {
		one, other, why string
		unless          bool // --replace is given
	}
	doc, err := os.ReadFile("../../docs/waiting.md")
	must(t, err)
	_, table, _ := strings.Cut(string(doc), "## Flags that contradict each other")
	table, _, _ = strings.Cut(table, "\nIn the library")
	var rows []row
	const some = "((?:`[a-z -]+`(?:, or |, | or )?)+)"
	line := regexp.MustCompile("(?m)^\\| " + some + ",? ?(and|without) " + some + "(, unless `--replace` is given)? \\| (.*) \\|$")
	found := line.FindAllStringSubmatch(table, -1)
	for _, m := range found {
		why := strings.ReplaceAll(m[5], "`", "")
		if strings.HasPrefix(why, "the same") {
			why = rows[len(rows)-1].why
		}
		for _, one := range flagsNamed(m[1]) {
			for _, other := range flagsNamed(m[3]) {
				if m[2] == "without" {
					other = "without " + other
				}
				rows = append(rows, row{one, other, why, m[4] != ""})
			}
		}
	}
	if n := strings.Count(table, "\n| `"); len(found) != n || n < 5 {
		t.Fatalf("%d of %d rows are understood", len(found), n)
	}
	b := newBox(t)
	flags := map[string][]string{
		"wait": {"--wait"}, "queue": {"--queue"}, "replace": {"--replace"}, "older-than": {"--older-than", "1s"},
		"shared": {"--shared"}, "slots": {"--slots", "2"}, "busy-exit": {"-E", "3"}, "quiet": {"-q"},
		"max-time": {"--max-time", "1h"}, "grace": {"--grace", "1s"}, "until": {"--until", "main"}, "kill-tree": {"--kill-tree"},
		"exec": {"--exec"}, "dir": {"--dir", b.dir}, "lock": {"--lock", b.file("theirs")}, "jitter": {"--jitter", "0.001"}, "alert-after": {"--alert-after", "2"},
		"notify": {"--notify", "true"}, "overrun": {"--overrun", "1h"},
		"pidfile": {"--pidfile", b.file("pid")}, "method flock": {"--method", "flock"}, "method pidfile": {"--method", "pidfile"},
		"method socket": {"--method", "socket"}, "method abstract": {"--method", "abstract"},
	}
	help := regexp.MustCompile(`(?m)^ +(?:-., )?--([a-z-]+)`).FindAllStringSubmatch(b.expect(0, "help", "run").stdout, -1)
	if len(help)+3 < len(flags) { // the four methods are one flag
		t.Errorf("the help names %d flags", len(help))
	}
	for _, m := range help {
		if flags[m[1]] == nil && m[1] != "method" {
			t.Errorf("--%s is not tried", m[1])
		}
	}
	for a := range flags {
		for c := range flags {
			for _, extra := range []string{"", "replace"} {
				given := []string{a, c}
				if extra != "" {
					given = append(given, extra)
				}
				slices.Sort(given)
				given = slices.Compact(given)
				if a > c || strings.HasPrefix(a, "method ") && strings.HasPrefix(c, "method ") || extra != "" && len(given) < 3 {
					continue
				}
				var want []row
				for _, r := range rows {
					other, without := strings.CutPrefix(r.other, "without ")
					if slices.Contains(given, r.one) && slices.Contains(given, other) != without &&
						!(r.unless && slices.Contains(given, "replace")) {
						want = append(want, r)
					}
				}
				args := []string{"run"}
				for _, g := range given {
					args = append(args, flags[g]...)
				}
				o := b.run(append(args, "n", "--", "true")...)
				if len(want) == 0 {
					if o.code != 0 {
						t.Errorf("%q is refused, and not in the table: %v", args, o)
					}
					continue
				}
				if o.code != 64 || !slices.ContainsFunc(want, func(r row) bool {
					return strings.HasPrefix(r.other, "without ") && strings.Contains(o.stderr, "--"+r.one) ||
						strings.Contains(o.stderr, r.why) && strings.Contains(o.stderr, "--"+r.one+" and --"+r.other+" contradict")
				}) {
					t.Errorf("%q is in the table, and not refused for that: %v", args, o)
				}
			}
		}
	}
	if _, err := os.Stat(filepath.Join(b.dir, "n.lock")); err != nil {
		t.Error(err) // nothing ran at all
	}
}

// flagsNamed are the flags in a cell of the table, without their dashes. A word without dashes is
// another method.
func flagsNamed(cell string) []string {
	var all []string
	for _, m := range regexp.MustCompile("`([a-z -]+)`").FindAllStringSubmatch(cell, -1) {
		name, ok := strings.CutPrefix(m[1], "--")
		if !ok {
			name = "method " + name
		}
		all = append(all, name)
	}
	return all
}

// --max-time counts from the start of the command with every policy, not from that of the wait;
// and it frees the name for the next one.
func TestMaxTimeOnEveryPolicy(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{
		{"--wait"}, {"--queue"}, {"--replace", "--grace", "1h"}, {"--shared", "--wait"}, {"--slots", "2", "--wait"}, {"--wait", "--lock", "theirs"},
	} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			h := b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript))
			args := append(append([]string{"run"}, flags...), "--max-time", "0.4", "n", "--",
				"sh", "-c", `echo began >>"$0"; sleep 1000 & wait; echo survived >>"$0"`, b.file("order"))
			l := b.launch(b.sole(args...))
			b.waiters("n", 1)
			next := b.launch(b.sole(append([]string{"run", "--wait", "n"}, b.say("next")...)...))
			b.eventually("it has waited for longer than it may run", func() bool {
				return slices.ContainsFunc(b.status("n").Waiting, func(w waiting) bool { return w.PID == l.Process.Pid && w.Seconds > 0.5 })
			})
			h.release()
			if o := l.wait(); o.code != 124 {
				t.Errorf("%v", o)
			}
			if o := next.wait(); o.code != 0 {
				t.Errorf("the next one: %v", o)
			}
			got := b.words("order")
			if !slices.Equal(got, []string{"began", "next"}) {
				t.Errorf("they said %v", got)
			}
		})
	}
}

// The limit of --wait begins after the jitter.
func TestJitterIsNotPartOfTheWait(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	const n = 6 // were it part of the wait, most would not wait for half of their time
	var all []*launched
	for range n {
		all = append(all, b.launch(b.sole("run", "--jitter", "3", "--wait=1.5", "n", "--", "touch", b.file("witness"))))
	}
	longest := make([]float64, n)
	b.eventually("all have given up", func() bool {
		for _, w := range b.status("n").Waiting {
			for i, l := range all {
				if l.Process.Pid == w.PID {
					longest[i] = max(longest[i], w.Seconds)
				}
			}
		}
		return !slices.ContainsFunc(all, func(l *launched) bool { return !l.ended() })
	})
	for i, l := range all {
		o := l.wait()
		if o.code != 75 || longest[i] < 0.75 || longest[i] > 1.5+patience.Seconds()/2 {
			t.Errorf("it was seen to wait for %v: %v", time.Duration(longest[i]*1e9), o)
		}
		mustContain(t, o.stderr, "gave up after 1s")
	}
	b.notRun()
	h.release()
}
