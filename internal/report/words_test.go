package report

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

// Whatever the text is, it is one piece of text, in an element and in an attribute, and can be read.
func TestEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringOf(rapid.RuneFrom([]rune("<>&\"'/]-!=` \x00\x1b\n\t\u202e\u2028\ufffe")))).Draw(t, "text")
		m := &markup{}
		m.el("p", s, "title", s+"x")
		var got struct {
			XMLName xml.Name   `xml:"p"`
			Attr    []xml.Attr `xml:",any,attr"`
			Text    string     `xml:",chardata"`
			Inner   []struct{} `xml:",any"`
		}
		if err := xml.Unmarshal(m.b, &got); err != nil {
			t.Fatalf("%q: %v", m.b, err)
		}
		if len(got.Attr) != 1 || len(got.Inner) != 0 || got.Attr[0].Value != got.Text+"x" {
			t.Fatalf("%q: %+v", m.b, got)
		}
		for _, r := range got.Text {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q: %q is left", m.b, r)
			}
		}
		text := escape(nil, s)
		if i := strings.IndexAny(string(text), "<>\"'"); i >= 0 {
			t.Fatalf("%q", text)
		}
		if plain := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0; plain && got.Text != s {
			t.Fatalf("%q became %q", s, got.Text)
		}
	})
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0ms", 0: "0ms", 340 * time.Millisecond: "340ms", 4250 * time.Millisecond: "4.3s", 9 * time.Second: "9s",
		42 * time.Second: "42s", 28*time.Minute + 4*time.Second: "28m04s", 72 * time.Minute: "1h12m", 76 * time.Hour: "3d4h", 1234 * day: "1,234d",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0", 500 * time.Millisecond: "500ms", 90 * time.Minute: "1h30m", 6 * time.Hour: "6h", 10 * day: "10d", 90 * time.Second: "90s"} {
		if got := round(d); got != want {
			t.Errorf("a tick at %v is %q, want %q", d, got, want)
		}
	}
	for _, c := range []struct {
		part, whole uint64
		want        string
	}{{0, 0, "–"}, {0, 9, "0%"}, {9, 9, "100%"}, {9999, 10000, "99.9%"}, {1, 100000, "<0.1%"}, {1, 2, "50%"}, {2, 3, "67%"}} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d is %q, want %q", c.part, c.whole, got, c.want)
		}
	}
	if count(0) != "0" || count(999) != "999" || count(1234567) != "1,234,567" {
		t.Error(count(0), count(999), count(1234567))
	}
}

// Ticks are few, in order, round in local time, and reach over the whole.
func TestTimeTicks(t *testing.T) {
	zones := []*time.Location{time.UTC, time.FixedZone("", 5*3600+45*60)}
	for _, z := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"} {
		l, err := time.LoadLocation(z)
		if err != nil {
			t.Logf("%s: %v", z, err)
			continue
		}
		zones = append(zones, l)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(1.5e9, 2e9).Draw(t, "from"), 0).In(rapid.SampledFrom(zones).Draw(t, "zone"))
		to := from.Add(time.Duration(rapid.Int64Range(1, 1e18).Draw(t, "span")))
		if rapid.Bool().Draw(t, "short") {
			to = from.Add(to.Sub(from) / 1e5)
		}
		most := rapid.IntRange(1, 100).Draw(t, "most")
		s := stepFor(to.Sub(from), most)
		edges := s.edges(from, to)
		if edges[0].After(from) || !edges[len(edges)-1].After(to) || len(edges) > most+4+most/8 {
			t.Fatalf("%v from %v to %v: %d edges from %v to %v", s, from, to, len(edges), edges[0], edges[len(edges)-1])
		}
		for i, e := range edges[1:] {
			if !e.After(edges[i]) {
				t.Fatalf("%v behind %v", e, edges[i])
			}
			if hour, minute, second := e.Clock(); s.unit != seconds && (hour > 1 || minute != 0 || second != 0) {
				t.Fatalf("%v: %v is not round", s, e)
			}
		}
	})
}

func TestDurationTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		longest := time.Duration(rapid.Int64Range(1, int64(9000*day)).Draw(t, "longest"))
		ticks := durationTicks(longest)
		if len(ticks) < 2 || len(ticks) > 7 || ticks[len(ticks)-1] < longest && longest < 8000*day {
			t.Fatalf("%v: %v", longest, ticks)
		}
		shortest := time.Duration(rapid.Int64Range(1, int64(longest)).Draw(t, "shortest"))
		ticks = logTicks(shortest, longest)
		if len(ticks) < 2 || ticks[0] > max(shortest, time.Millisecond) || ticks[len(ticks)-1] < longest {
			t.Fatalf("%v to %v: %v", shortest, longest, ticks)
		}
		for y, n := (&scale{ticks: ticks, log: true}), 0; n < 3; n++ {
			d := time.Duration(rapid.Int64Range(0, int64(longest)).Draw(t, "d"))
			if at := y.at(d); !(at >= 0 && at <= trendHeight+2) {
				t.Fatalf("%v is at %v", d, at)
			}
		}
	})
	for most, want := range map[int]int{1: 1, 2: 2, 3: 4, 9: 10, 10: 10, 11: 20, 5000: 6000} {
		if got := countTicks(most); got[len(got)-1] != want || got[0] != 0 {
			t.Errorf("up to %d: %v", most, got)
		}
	}
}
