package crontab

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/name"
)

// undo takes out of a line what its edits put in. It knows only the result and the edits of
// a line that nothing was taken from.
func undo(l *Line) string {
	text, shift := l.Text(), 0
	var b strings.Builder
	at := 0
	for _, e := range l.Edits {
		b.WriteString(text[at : e.At+shift])
		shift += len(e.Text)
		at = e.At + shift
	}
	return b.String() + text[at:]
}

// checkTab holds for each input: whatever is no command stays, what was put in can be taken
// out again, and a second time changes nothing.
func checkTab(t *testing.T, text string, o Options) {
	t.Helper()
	tab := Parse(text, o)
	if tab.String() != text {
		t.Fatalf("%q comes back as %q", text, tab.String())
	}
	tab.Apply(sample)
	for _, l := range tab.Lines {
		checkLine(t, l)
	}
	again := Parse(tab.String(), o)
	again.Apply(sample)
	if len(again.Lines) != len(tab.Lines) {
		t.Fatalf("%q: %d lines became %d", text, len(tab.Lines), len(again.Lines))
	}
	for i, l := range again.Lines {
		before := tab.Lines[i]
		if len(before.Edits) > 0 && (l.State != BySole || len(l.Edits) > 0) {
			t.Fatalf("%q became %q, which is %s", before.raw, l.raw, l.State)
		}
		if len(before.Edits) > 0 && before.Name != l.Name {
			t.Fatalf("%q: name %q, read back as %q", before.raw, before.Name, l.Name)
		}
	}
}

func checkLine(t *testing.T, l *Line) {
	t.Helper()
	end := l.start + len(l.Command)
	at := l.start
	for _, e := range l.Edits {
		if e.At < at || e.At+e.Len > end {
			t.Fatalf("%q: edit %+v is outside of the command", l.raw, e)
		}
		at = e.At + e.Len
	}
	text := l.Text()
	if !strings.HasPrefix(text, l.raw[:l.start]) || !strings.HasSuffix(text, l.raw[end:]) {
		t.Fatalf("%q became %q", l.raw, text)
	}
	body := strings.TrimSuffix(text, "\n")
	if len(l.Edits) > 0 && command(body[l.start:])+strings.TrimSuffix(l.raw[end:], "\n") != body[l.start:] {
		t.Fatalf("%q: the standard input begins elsewhere in %q", l.raw, text)
	}
	if l.State == Unguarded && undo(l) != l.raw {
		t.Fatalf("%q became %q, without what was put in %q", l.raw, text, undo(l))
	}
	if len(l.Edits) > 0 && l.Name != "" && name.Check(l.Name) != nil {
		t.Fatalf("%q gets the name %q", l.raw, l.Name)
	}
	if len(l.Edits) == 0 && l.Kind == Job && l.State != BySole && !strings.Contains(l.Remark, "left alone") {
		t.Fatalf("%q is left alone without a word", l.raw)
	}
	if len(l.Edits) > 0 && l.Kind != Job {
		t.Fatalf("%q is no job and was changed", l.raw)
	}
}

func TestWhatWasPutInCanBeTakenOut(t *testing.T) {
	for name, text := range corpus(t) {
		checkTab(t, text, Options{System: strings.HasPrefix(name, "system-")})
	}
}

// A check that cannot fail is none.
func TestUndoNoticesAChange(t *testing.T) {
	tab := Parse("0 1 * * * /opt/a.sh\n", Options{})
	tab.Apply(sample)
	l := tab.Lines[0]
	l.Edits[0].Len++
	if undo(l) == l.raw {
		t.Error("a byte that is gone was not noticed")
	}
}

// Names do not depend on the order of lines, nor on what cannot get the same one.
func TestNamesAreStable(t *testing.T) {
	for file, text := range corpus(t) {
		if !strings.HasSuffix(text, "\n") || strings.Contains(text, "SHELL") {
			continue // the order of these lines matters to cron
		}
		names := func(text string) map[string]string {
			tab := read(file, text)
			tab.Apply(sample)
			all := map[string]string{}
			for _, l := range tab.Jobs() {
				all[l.raw] = l.Name
			}
			return all
		}
		lines := slices.Collect(strings.Lines(text))
		slices.Reverse(lines)
		if one, other := names(text), names(strings.Join(lines, "")); !maps.Equal(one, other) {
			t.Errorf("%s: %v\nreversed: %v", file, one, other)
		}
		if one, other := names(text), names(text+"0 0 1 1 0 /opt/other/another-job-altogether.sh\n"); len(other) == len(one)+1 {
			for line, n := range one {
				if other[line] != n {
					t.Errorf("%s: %q: %s became %s because of another job", file, line, n, other[line])
				}
			}
		}
	}
}

// Two lines have the same name only if they run the same, or had the same lock file.
func TestNamesAreDistinct(t *testing.T) {
	for file, text := range corpus(t) {
		tab := read(file, text)
		tab.Apply(sample)
		keys := map[string]string{}
		for _, l := range tab.Jobs() {
			if l.plan == nil || l.plan.unnamed {
				continue
			}
			if k, ok := keys[l.Name]; ok && k != l.plan.key {
				t.Errorf("%s: %q has the name of another job: %s", file, l.raw, l.Name)
			}
			keys[l.Name] = l.plan.key
		}
	}
}

func FuzzCrontab(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text, false)
		for line := range strings.Lines(text) {
			f.Add(line, strings.Contains(line, "root"))
		}
	}
	f.Fuzz(func(t *testing.T, text string, system bool) { checkTab(t, text, Options{System: system}) })
}
