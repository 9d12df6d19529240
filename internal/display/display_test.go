package display

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "한": 2, "\u1112\u1161\u11ab": 2, "🚀": 2, "ﬁ": 1, "…": 1, "א": 1, "＋": 2, "█▌": 2,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestWideIsInOrder(t *testing.T) {
	last := rune(-1)
	for _, r := range wide {
		if r[0] <= last || r[1] < r[0] {
			t.Errorf("%x", r)
		}
		last = r[1]
	}
}

// What is cut fits, is a beginning of what there was, and is cut only where it must be.
func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab 日🚀é\u0301…"))).Draw(t, "s")
		width := rapid.IntRange(1, 12).Draw(t, "width")
		got := Clip(s, width)
		if Width(s) <= width && got != s {
			t.Fatalf("Clip(%q, %d) = %q although it fits", s, width, got)
		}
		if Width(got) > width || !utf8.ValidString(got) {
			t.Fatalf("Clip(%q, %d) = %q, %d cells", s, width, got, Width(got))
		}
		if got != s {
			rest := strings.TrimSuffix(got, "…")
			if !strings.HasPrefix(s, rest) || Width(rest) < width-2 {
				t.Fatalf("Clip(%q, %d) = %q", s, width, got)
			}
		}
	})
}

func TestPrintableIsPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		for _, r := range Printable(s) {
			if !unicode.IsPrint(r) {
				t.Fatalf("Printable(%q) = %q", s, Printable(s))
			}
		}
	})
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		d              time.Duration
		lasting, about string
	}{
		{0, "0s", "0ms"}, {7 * time.Millisecond, "0s", "7ms"}, {1300 * time.Millisecond, "1s", "1.3s"}, {42 * time.Second, "42s", "42s"}, {72 * time.Second, "1m12s", "1m12s"},
		{28*time.Minute + 29*time.Second, "28m29s", "28m"}, {59*time.Minute + 59*time.Second, "59m59s", "1h"},
		{72*time.Minute + 31*time.Second, "1h12m", "1h13m"}, {3 * time.Hour, "3h00m", "3h"}, {49*time.Hour + 31*time.Minute, "2d1h", "2d2h"},
		{24*time.Hour - time.Second, "23h59m", "24h"},
	} {
		if got := Lasting(c.d); got != c.lasting {
			t.Errorf("Lasting(%v) = %s", c.d, got)
		}
		if got := About(c.d); got != c.about {
			t.Errorf("About(%v) = %s, want %s", c.d, got, c.about)
		}
	}
}

func TestColoured(t *testing.T) {
	for _, c := range []struct {
		noColor, term string
		want          Palette
	}{
		{"", "xterm", true}, {"1", "xterm", false}, {"0", "xterm", false}, {"", "dumb", false}, {"", "", false},
	} {
		got := Coloured(func(n string) string { return map[string]string{"NO_COLOR": c.noColor, "TERM": c.term}[n] })
		if got != c.want {
			t.Errorf("NO_COLOR=%q TERM=%q: %v", c.noColor, c.term, got)
		}
	}
	if got := Palette(false).Paint(Bad, "x"); got != "x" {
		t.Errorf("%q", got)
	}
	if got := Palette(true).Paint(Bad, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("%q", got)
	}
}
