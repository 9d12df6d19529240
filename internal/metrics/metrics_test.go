package metrics

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sole-run/sole/internal/history"
)

// read takes the text apart as its format says, and returns the samples with their labels.
func read(t interface{ Fatalf(string, ...any) }, text []byte) map[string]float64 {
	got := map[string]float64{}
	kinds := map[string]string{}
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		line := in.Text()
		if rest, is := strings.CutPrefix(line, "# TYPE "); is {
			name, kind, _ := strings.Cut(rest, " ")
			if kinds[name] != "" {
				t.Fatalf("%s has two types", name)
			}
			kinds[name] = kind
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		key, value := line[:strings.LastIndexByte(line, ' ')], line[strings.LastIndexByte(line, ' ')+1:]
		name, _, _ := strings.Cut(key, "{")
		if kinds[name] == "" {
			t.Fatalf("%q has no type before it", line)
		}
		v, err := strconv.ParseFloat(value, 64)
		if _, twice := got[key]; err != nil || twice || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("%q: %v, twice %v", line, err, twice)
		}
		got[key] = v
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Fatalf("the last line has no end")
	}
	return got
}

func TestText(t *testing.T) {
	n := &Name{Name: "backup", Holders: 2, Waiters: 3, Orphaned: true, Started: time.Unix(1000, 5e8), Lasts: 90 * time.Second, Torn: 4}
	at := time.Unix(2000, 0)
	for i, o := range []history.Outcome{history.OK, history.OK, history.OK, history.Failed, history.Skipped, history.Skipped} {
		at = at.Add(time.Minute)
		n.All.Add(&history.Line{Run: uint64(i), Started: at, Ended: at, Lasted: time.Duration(i+1) * time.Second, Outcome: o})
	}
	got := read(t, Text([]*Name{n, {Name: "never"}}, 7))
	for key, want := range map[string]float64{
		`sole_held{name="backup"}`: 1, `sole_held{name="never"}`: 0, `sole_holders{name="backup"}`: 2, `sole_waiters{name="backup"}`: 3, `sole_orphaned{name="backup"}`: 1,
		`sole_run_start_timestamp_seconds{name="backup"}`: 1000.5, `sole_run_seconds{name="backup"}`: 90,
		`sole_usual_seconds{name="backup"}`: 2, `sole_usual_p95_seconds{name="backup"}`: 3,
		`sole_runs_total{name="backup",outcome="ok"}`: 3, `sole_runs_total{name="backup",outcome="failed"}`: 1, `sole_runs_total{name="never",outcome="crashed"}`: 0,
		`sole_skips_total{name="backup"}`: 2, `sole_skips_in_row{name="backup"}`: 2,
		`sole_last_success_timestamp_seconds{name="backup"}`: 2180, `sole_last_failure_timestamp_seconds{name="backup"}`: 2240,
		`sole_last_run_end_timestamp_seconds{name="backup"}`: 2240, `sole_last_run_seconds{name="backup"}`: 4, `sole_last_run_failed{name="backup"}`: 1,
		`sole_history_torn_lines{name="backup"}`: 4, `sole_unreadable`: 7,
	} {
		if v, there := got[key]; !there || v != want {
			t.Errorf("%s is %v (%v), want %v", key, v, there, want)
		}
	}
	for key := range got {
		if strings.Contains(key, `"never"`) && (strings.Contains(key, "last_") || strings.Contains(key, "run_seconds") || strings.Contains(key, "usual")) {
			t.Errorf("%s of a name that never ran", key)
		}
		if strings.Contains(key, `outcome="skipped"`) {
			t.Errorf("%s: a skip is no run", key)
		}
	}
}

// Whatever a name is, it is one label, and is read back as it was.
func TestLabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("\\\"\n{}=, #a")))).Draw(t, "name")
		text := string(Text([]*Name{{Name: "x" + s}}, 0))
		for line := range strings.Lines(text) {
			if rest, is := strings.CutPrefix(line, `sole_held{name="x`); is {
				var got strings.Builder
				i := 0
				for ; rest[i] != '"'; i++ {
					c := rest[i]
					if c == '\\' {
						i++
						c = map[byte]byte{'\\': '\\', '"': '"', 'n': '\n'}[rest[i]]
					}
					got.WriteByte(c)
				}
				if got.String() != s || rest[i:] != "\"} 0\n" {
					t.Fatalf("%q became %q, then %q", s, got.String(), rest[i:])
				}
				return
			}
		}
		t.Fatalf("%q: no sample", text)
	})
}

// The same names give the same text, each metric in one piece.
func TestOrder(t *testing.T) {
	var names []*Name
	for i := range 50 {
		names = append(names, &Name{Name: fmt.Sprintf("n%02d", i)})
	}
	text := Text(names, 0)
	if !bytes.Equal(text, Text(names, 0)) {
		t.Error("two times the same names, two texts")
	}
	read(t, text)
	seen, last := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		name := strings.FieldsFunc(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), func(r rune) bool { return r == ' ' || r == '{' })[0]
		if name != last && seen[name] {
			t.Errorf("%s is in two pieces", name)
		}
		seen[name], last = true, name
	}
}
