package top

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/display"
	"github.com/sole-run/sole/internal/history"
	"github.com/sole-run/sole/internal/recent"
)

// noon is when the tests are: at noon of a day, here.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)

// fake is a source that is told what there is, and writes down what it is asked for.
type fake struct {
	snap  Snapshot
	did   []string
	err   error
	looks int
}

func (f *fake) Look(free bool) Snapshot {
	f.looks++
	return f.snap
}

func (f *fake) Inspect(name string) (sole.Status, error) {
	for _, n := range f.snap.Names {
		if n.Name == name {
			return n.Status, f.err
		}
	}
	return sole.Status{Name: name, State: sole.Free}, f.err
}

func (f *fake) Log(string, int) ([]history.Entry, error) {
	return []history.Entry{
		{Name: "n", Outcome: history.Skipped, Ended: noon, ExitCode: 75, HolderRun: 3, HolderPID: 9},
		{Name: "n", Run: 4, Outcome: history.Signaled, SignalName: "SIGTERM", Ended: noon, Lasted: time.Minute, ExitCode: history.NoCode, User: "root\x1b[2J"},
	}, f.err
}

func (f *fake) Stop(_ context.Context, seen sole.Status, grace time.Duration) (bool, error) {
	f.did = append(f.did, fmt.Sprintf("stop %s run %d within %s", seen.Name, seen.Run, grace))
	return false, f.err
}

func (f *fake) Signal(seen sole.Status, sig syscall.Signal) error {
	f.did = append(f.did, fmt.Sprintf("signal %s run %d %d", seen.Name, seen.Run, sig))
	return f.err
}

func (f *fake) Explain(err error) string { return err.Error() }

func held(name string, run uint64, lasts, p50, p95 time.Duration) Name {
	return Name{
		Status: sole.Status{Name: name, State: sole.Held, Mode: sole.Alone, Run: run, PID: int(100 + run), ChildPID: int(200 + run), User: "root",
			Command: []string{"/usr/bin/rsync", "-a"}, StartedAt: noon.Add(-lasts), Seconds: lasts.Seconds()},
		Recent: recent.Facts{P50: p50, P95: p95, Last: []history.Outcome{history.OK, history.Failed, history.OK}, Ended: noon.Add(-time.Hour), Lasted: p50},
	}
}

// screenOf is a model at that size which has looked.
func screenOf(f *fake, width, height int, o Options) *Model {
	m := New(f, o)
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	m.Update(looked(f.snap))
	return m
}

// press sends keys, and what comes of them.
func press(m *Model, keys ...Key) {
	for _, k := range keys {
		_, cmd := m.Update(k)
		if cmd != nil {
			if msg := cmd(); msg != nil {
				m.Update(msg)
			}
		}
	}
}

func someNames() *fake {
	slots := held("fetch", 7, time.Minute, 0, 0)
	slots.Slot, slots.Mode, slots.Waiters = 1, sole.SlotsUsed, 2
	other := slots.Status
	other.Slot, other.Run, other.Waiters = 2, 8, 0
	slots.Others = []sole.Status{other}
	orphan := held("orphan", 3, 2*time.Hour, time.Minute, 2*time.Minute)
	orphan.Orphaned, orphan.Skips = true, 14
	return &fake{snap: Snapshot{At: noon, Free: 1, Names: []Name{
		held("backup", 41, 72*time.Minute, 28*time.Minute, 40*time.Minute),
		slots,
		held("mirror", 5, 10*time.Minute, 30*time.Minute, 60*time.Minute),
		orphan,
		{Status: sole.Status{Name: "vacuum", State: sole.Free, Run: 9}, Recent: recent.Facts{Last: []history.Outcome{history.Crashed}, Ended: noon.Add(-time.Hour), Lasted: time.Second}},
	}}}
}

func TestScreenOfEightyColumns(t *testing.T) {
	m := screenOf(someNames(), 80, 24, Options{Dir: "/var/lib/sole", Grace: 10 * time.Second})
	const want = `sole top  /var/lib/sole                                                 12:00:00
5 held  2 past p95  1 orphaned  2 waiting  1 free                        by name

  NAME      STATE         FOR USUAL SKIPS WAIT LAST       PID USER COMMAND
▸ backup    ━━━━━━━━━!  1h12m   28m     0    0 ✓✗✓        241 root rsync -a
  fetch [1] running     1m00s     -     0    2 ✓✗✓        207 root rsync -a
  fetch [2] running     1m00s     -     0    0 ✓✗✓        207 root rsync -a
  mirror    ━╸···╎···· 10m00s   30m     0    0 ✓✗✓        205 root rsync -a
  orphan    orphaned    2h00m    1m    14    0 ✓✗✓        203 root rsync -a
  vacuum    crashed        1s     -          0 C                   ended 1h ago`
	var got []string
	for _, line := range strings.Split(m.screen(), "\n")[:10] {
		line = strings.NewReplacer("\x1b[7m", "", "\x1b[0m", "").Replace(line)
		got = append(got, strings.TrimRight(line, " "))
	}
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
}

// Whatever the size, and whatever is shown, no line is longer and there are no more lines.
func TestEverySizeFits(t *testing.T) {
	f := someNames()
	f.snap.Names[0].User = "日本\x1b[31m\u202e"
	f.snap.Names[0].Command = []string{"\x1b]0;x\a", "e\u0301🚀", "\n"}
	for _, ascii := range []bool{false, true} {
		for _, keys := range [][]Key{nil, {"enter"}, {"l"}, {"?"}, {"s"}, {"x"}, {"/", "b"}, {"down", "down", "r", "y"}, {"a", "o"}} {
			for width := 1; width <= 310; width += 1 + width/12 {
				for _, height := range []int{1, 2, 3, 5, 6, 10, 15, 16, 24, 60} {
					m := screenOf(f, width, height, Options{Dir: "/d", Grace: time.Second, ASCII: ascii})
					press(m, keys...)
					text := m.screen()
					lines := strings.Split(text, "\n")
					if len(lines) > height {
						t.Fatalf("%d×%d, %q: %d lines:\n%s", width, height, keys, len(lines), text)
					}
					for _, line := range lines {
						line = strings.NewReplacer("\x1b[7m", "", "\x1b[0m", "").Replace(line)
						if strings.ContainsAny(line, "\x1b\a\u202e") {
							t.Fatalf("%q: it does not stay in its cell: %q", keys, line)
						}
						// Below 20 columns the table gives up its gaps last.
						if w := display.Width(line); w > max(width, 20) {
							t.Fatalf("%d×%d, %q: %d cells: %q", width, height, keys, w, line)
						}
						if ascii && strings.IndexFunc(line, func(r rune) bool { return r > 126 }) >= 0 {
							t.Fatalf("%q: not ASCII: %q", keys, line)
						}
					}
				}
			}
		}
	}
}

func TestNothingIsDoneWithoutYes(t *testing.T) {
	for _, c := range []struct {
		keys []Key
		want string
	}{
		{[]Key{"s"}, ""}, {[]Key{"s", "n"}, ""}, {[]Key{"s", "enter"}, ""}, {[]Key{"s", "esc"}, ""}, {[]Key{"s", "s"}, ""},
		{[]Key{"s", "y"}, "stop backup run 41 within 10s"},
		{[]Key{"r", "q"}, ""}, {[]Key{"r", "y"}, "signal backup run 41 1"},
		{[]Key{"x", "esc"}, ""}, {[]Key{"x", "y"}, ""}, {[]Key{"x", "esc", "enter"}, ""},
		{[]Key{"x", "enter"}, "signal backup run 41 15"}, {[]Key{"K", "G", "enter"}, "signal backup run 41 9"},
		{[]Key{"down", "down", "s", "y"}, "stop fetch run 8 within 10s"},
		{[]Key{"end", "s", "y"}, ""}, // it is free
		{[]Key{"enter", "s", "y"}, "stop backup run 41 within 10s"},
	} {
		f := someNames()
		m := screenOf(f, 80, 24, Options{Grace: 10 * time.Second})
		press(m, c.keys...)
		if got := strings.Join(f.did, ", "); got != c.want {
			t.Errorf("%q: did %q, want %q", c.keys, got, c.want)
		}
	}
}

// A question is about the run that was shown, also when the next look finds another one.
func TestQuestionIsAboutTheRunThatWasShown(t *testing.T) {
	f := someNames()
	m := screenOf(f, 80, 24, Options{Grace: time.Second})
	press(m, "s")
	f.snap.Names[0].Run, f.snap.Names[0].ChildPID = 42, 999
	m.Update(looked(f.snap))
	press(m, "y")
	if len(f.did) != 1 || f.did[0] != "stop backup run 41 within 1s" {
		t.Errorf("did %q", f.did)
	}
}

func TestFaultsAreSaid(t *testing.T) {
	f := someNames()
	f.err = errors.New("no\x1b[2J such luck")
	f.snap.Err = errors.New("one was left out")
	m := screenOf(f, 100, 24, Options{})
	press(m, "s", "y")
	text := m.screen()
	if !strings.Contains(text, `stop: backup: no\x1b[2J such luck`) || !strings.Contains(text, "one was left out") {
		t.Errorf("%s", text)
	}
	press(m, "l")
	if !strings.Contains(m.screen(), `no\x1b[2J`) {
		t.Errorf("%s", m.screen())
	}
}

// What is selected stays so, wherever it moves.
func TestSelectionStays(t *testing.T) {
	f := &fake{snap: Snapshot{At: noon}}
	for i := range 200 {
		f.snap.Names = append(f.snap.Names, held(fmt.Sprintf("job-%03d", i), uint64(i+1), time.Duration(i)*time.Second, 0, 0))
	}
	m := screenOf(f, 80, 24, Options{})
	press(m, "end", "up", "up")
	was := m.current().Name
	for range 50 {
		rand.Shuffle(len(f.snap.Names), func(i, j int) { f.snap.Names[i], f.snap.Names[j] = f.snap.Names[j], f.snap.Names[i] })
		press(m, "o")
		m.Update(looked(f.snap))
		if got := m.current().Name; got != was {
			t.Fatalf("it was %s and is %s", was, got)
		}
		if !strings.Contains(m.screen(), "▸ "+was) {
			t.Fatalf("it is not seen:\n%s", m.screen())
		}
	}
	f.snap.Names = f.snap.Names[:0]
	m.Update(looked(f.snap))
	press(m, "down", "s", "y", "enter", "l")
	_ = m.screen()
}

// Only one look is under way at a time, and the pause is longer than a look.
func TestLooksDoNotPileUp(t *testing.T) {
	f := someNames()
	m := New(f, Options{Every: time.Second})
	cmd := m.Init()
	if m.look() != nil {
		t.Error("it looks twice at a time")
	}
	m.Update(cmd())
	if f.looks != 1 || m.look() == nil {
		t.Errorf("%d looks", f.looks)
	}
}

func TestBar(t *testing.T) {
	u, a := marksOf(false), marksOf(true)
	for _, c := range []struct {
		elapsed    time.Duration
		utf, ascii string
	}{
		{0, "·····╎····", ".....|...."}, {26, "━━╸··╎····", "##...|...."}, {50, "━━━━━╎····", "#####|...."}, {51, "━━━━━╎····", "#####|...."},
		{56, "━━━━━╸····", "#####|...."}, {100, "━━━━━━━━━━", "##########"}, {101, "━━━━━━━━━!", "#########!"}, {201, "━━━━━━━━!!", "########!!"},
	} {
		if got := u.bar(10, c.elapsed, 50, 100); got != c.utf {
			t.Errorf("%d: %s, want %s", c.elapsed, got, c.utf)
		}
		if got := a.bar(10, c.elapsed, 50, 100); got != c.ascii {
			t.Errorf("%d: %s, want %s", c.elapsed, got, c.ascii)
		}
	}
}
