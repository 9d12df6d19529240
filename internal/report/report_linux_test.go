package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("CET", 3600))

// named is a name with these records, read as they are from a file.
func named(t testing.TB, p *Page, name string, entries ...history.Entry) *Name {
	t.Helper()
	var all []byte
	var line [history.MaxLine]byte
	for i := range entries {
		all = append(all, line[:entries[i].Encode(&line)]...)
	}
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	n := &Name{Name: name}
	found, err := history.Files{Older: file + ".1", Current: file}.Forward(func(l *history.Line) { n.Add(p, l, true) })
	if err != nil {
		t.Fatal(err)
	}
	n.Done(p, found)
	p.Names = append(p.Names, n)
	return n
}

// entries are so many records, a minute from each other, the last one now, in which every outcome is.
func entries(n int, command ...string) []history.Entry {
	all := make([]history.Entry, n)
	for i := range all {
		at := noon.Add(-time.Duration(n-i) * time.Minute)
		d := time.Duration(10+i%7) * time.Second
		e := history.Entry{Run: uint64(i + 1), Started: at, Ended: at.Add(d), Lasted: d, Outcome: history.OK, Command: command}
		if i%5 == 4 {
			e.Outcome = history.Outcomes()[(i/5)%len(history.Outcomes())]
		}
		switch e.Outcome {
		case history.Skipped:
			e.Run, e.HolderRun, e.HolderPID, e.HolderStarted, e.ExitCode = 0, uint64(i), 812, at.Add(-time.Minute), history.NoCode
		case history.Signaled:
			e.Signal, e.ExitCode = 11, history.NoCode
		case history.Failed:
			e.ExitCode = 3
		case history.Crashed, history.Ended:
			e.EndedBefore, e.ExitCode = at.Add(time.Minute), history.NoCode
		}
		all[i] = e
	}
	return all
}

// hostile is text that wants to be more than text.
const hostile = `"><script>alert('1')</script>&amp;]]>--><svg onload=x>` + "\x00\x01\x1b[31m\u202e\u2066\u200f\u0085\ufffe\xff\xc0\n\t" + `'</title></style>`

// element is what a page consists of, for the checks.
type element struct {
	tag  string
	attr map[string]string
	text string
}

// elements reads the page, which is XML but for its first line.
func elements(t testing.TB, page []byte) (all []*element) {
	t.Helper()
	text, ok := strings.CutPrefix(string(page), "<!DOCTYPE html>\n")
	if !ok {
		t.Fatalf("the page begins with %.40q", text)
	}
	d := xml.NewDecoder(strings.NewReader(text))
	var open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("at %d: %v: …%s", d.InputOffset(), err, text[max(0, d.InputOffset()-80):d.InputOffset()])
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{tag: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attr[a.Name.Local]; twice {
					t.Errorf("%s has %s twice", e.tag, a.Name.Local)
				}
				e.attr[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		}
	}
	return all
}

// judge finds what is wrong with a page.
func judge(t testing.TB, page []byte) (faults []string) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	all := elements(t, page)
	ids := map[string]*element{}
	heading := 0
	var count = map[string]int{}
	for _, e := range all {
		count[e.tag]++
		if id, ok := e.attr["id"]; ok {
			if ids[id] != nil || id == "" {
				fault("two have the id %q", id)
			}
			ids[id] = e
		}
		if len(e.tag) == 2 && e.tag[0] == 'h' && e.tag[1] >= '1' && e.tag[1] <= '6' {
			level := int(e.tag[1] - '0')
			if level > heading+1 {
				fault("%s %q behind a heading of level %d", e.tag, e.text, heading)
			}
			heading = level
		}
		for k, v := range e.attr {
			if strings.HasPrefix(k, "on") || k == "style" || k == "src" {
				fault("%s has %s=%q", e.tag, k, v)
			}
			if number, is := strings.CutSuffix(v, "%"); is && k != "width" && k != "height" {
				if f, err := strconv.ParseFloat(number, 64); err != nil || f < 0 || f > 100 {
					fault("%s has %s=%q", e.tag, k, v)
				}
			}
		}
	}
	for _, e := range all {
		if to, is := strings.CutPrefix(e.attr["href"], "#"); is && ids[to] == nil {
			fault("a link leads to %q, which is not there", to)
		} else if href := e.attr["href"]; !is && href != "" && href != "data:," {
			fault("a link leads to %q", href)
		}
		for to := range strings.FieldsSeq(e.attr["aria-labelledby"]) {
			if ids[to] == nil || ids[to].text == "" {
				fault("%s is labelled by %q, which says nothing", e.tag, to)
			}
		}
		if w := e.attr["width"]; e.tag == "rect" && (w == "0%" || w == "0") {
			fault("a bar without width is not drawn")
		}
		switch e.tag {
		case "script", "iframe", "object", "embed", "img", "form", "base":
			fault("there is a %s", e.tag)
		case "svg":
			if e.attr["aria-hidden"] == "" && e.attr["role"] != "img" && e.attr["viewBox"] == "" {
				fault("a picture has no role: %v", e.attr)
			}
			if e.attr["role"] == "img" && len(strings.Fields(e.attr["aria-labelledby"])) != 2 {
				fault("a picture has no title and description: %v", e.attr)
			}
		case "th":
			if e.attr["scope"] == "" {
				fault("a heading of a table has no scope: %q", e.text)
			}
		case "time":
			if _, err := time.Parse(time.RFC3339, e.attr["datetime"]); err != nil {
				fault("time: %v", err)
			}
		}
	}
	if count["table"] != count["caption"] || count["h1"] != 1 || count["title"] < 1 || count["main"] != 1 {
		fault("%v", count)
	}
	for _, e := range all {
		if e.tag == "html" && e.attr["lang"] == "" {
			fault("the page has no language")
		}
	}
	return faults
}

func TestPageIsWellFormed(t *testing.T) {
	for name, make := range map[string]func(p *Page){
		"no name": func(*Page) {},
		"no run":  func(p *Page) { p.Only = "n"; named(t, p, "n") },
		"one run": func(p *Page) { named(t, p, "n", entries(1, "true")...) },
		"a skip alone": func(p *Page) {
			named(t, p, "n", history.Entry{Started: noon, Ended: noon, Outcome: history.Skipped})
		},
		"every outcome": func(p *Page) { named(t, p, "n", entries(120, "true")...) },
		"10,000 runs":   func(p *Page) { named(t, p, "n", entries(10000, "true")...) },
		"hostile": func(p *Page) {
			p.Host, p.Dir, p.Missing = hostile, hostile, []string{hostile}
			e := entries(60, hostile, strings.Repeat(hostile, 20))
			n := named(t, p, hostile, e...)
			n.Now = []Holder{{Run: 7, PID: 1, Started: noon.Add(-time.Hour), Lasts: time.Hour, Command: []string{hostile}, User: hostile, Orphaned: true}}
			n.Waiters = 3
		},
		"held by many": func(p *Page) {
			n := named(t, p, "n", entries(20, "true")...)
			for i := range 50 {
				n.Now = append(n.Now, Holder{Run: uint64(i), Started: noon.Add(-time.Duration(i) * time.Hour), Lasts: time.Hour})
			}
		},
		"held since a time that is not known": func(p *Page) { named(t, p, "n").Now = []Holder{{}} },
	} {
		t.Run(name, func(t *testing.T) {
			p := &Page{Now: noon, Host: "web1", Dir: "/var/lib/sole"}
			make(p)
			page := p.HTML(p.Choose())
			for _, f := range judge(t, page) {
				t.Error(f)
			}
			if len(page) > 400<<10 {
				t.Errorf("it has %d bytes", len(page))
			}
		})
	}
}

// The control: a page with faults.
func TestJudgeNoticesFaults(t *testing.T) {
	const page = `<!DOCTYPE html>
<html><title>x</title><main><h1>a</h1><h3>b</h3><a href="#no"/><a href="http://x"/><script/><svg/><svg role="img"/>
<table><th/></table><p id="a" onclick="x"/><p id="a" aria-labelledby="none"/><rect x="101%" width="0%"/><time datetime="now"/></main></html>`
	if got := judge(t, []byte(page)); len(got) != 15 {
		t.Errorf("%d faults: %q", len(got), got)
	}
}

// Times, durations and clocks that cannot be.
func TestOddRecords(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	ok := func(from, to time.Time, lasted time.Duration) history.Entry {
		return history.Entry{Run: 1, Started: from, Ended: to, Lasted: lasted, Outcome: history.OK}
	}
	odd := map[string]int{"before the clock": 1, "the far future": 1, "all together": 2}
	for name, list := range map[string][]history.Entry{
		"the clock was set back": {ok(at(-time.Hour), at(-2*time.Hour), time.Minute)},
		"no time":                {ok(at(-time.Hour), at(-time.Hour), 0)},
		"months":                 {ok(at(-200*day), at(-time.Hour), 200*day)},
		"before the clock":       {ok(time.Unix(5, 0), time.Unix(9, 0), 4*time.Second)},
		"the far future":         {ok(at(900000*time.Hour), at(900001*time.Hour), time.Hour)},
		"a little future":        {ok(at(time.Hour), at(2*time.Hour), time.Hour)},
		"all together": {
			ok(at(-time.Hour), at(-2*time.Hour), time.Minute), ok(at(-200*day), at(-time.Hour), 200*day), ok(time.Unix(5, 0), time.Unix(9, 0), 4*time.Second),
			ok(at(900000*time.Hour), at(900001*time.Hour), time.Hour), ok(at(-time.Hour), at(-time.Hour), 0),
		},
		"0 ms and three years": {ok(at(-time.Hour), at(-time.Hour), 0), ok(at(-time.Minute), at(0), 1e5*time.Hour), ok(at(-time.Minute), at(0), 0)},
	} {
		p := &Page{Now: noon}
		n := named(t, p, "n", list...)
		page := p.HTML(p.Choose())
		for _, f := range judge(t, page) {
			t.Errorf("%s: %s", name, f)
		}
		if n.Stats.Runs() != uint64(len(list)) || n.odd != odd[name] || len(n.drawn) != len(list)-n.odd {
			t.Errorf("%s: %d runs are counted, %d are drawn, %d are not", name, n.Stats.Runs(), len(n.drawn), n.odd)
		}
		for _, m := range n.drawn {
			if m.to.Sub(m.from) != m.lasted && name == "the clock was set back" {
				t.Errorf("%s: a bar of %v for a run of %v", name, m.to.Sub(m.from), m.lasted)
			}
		}
	}
}

func TestThousandNames(t *testing.T) {
	p := &Page{Now: noon, Dir: "/var/lib/sole"}
	list := entries(60, strings.Repeat("x", 1500))
	for i := range 1000 {
		named(t, p, fmt.Sprintf("job-%04d", i), list[:len(list)-i%50]...)
	}
	page := p.HTML(p.Choose())
	for _, f := range judge(t, page) {
		t.Error(f)
	}
	if len(page) > 1200<<10 {
		t.Errorf("it has %d bytes", len(page))
	}
	text := string(page)
	if !strings.Contains(text, "job-0999") || !strings.Contains(text, "have no section here") {
		t.Error("not all names are listed, or it is not said that there are no sections about them")
	}
}

// What is summed up adds up to what was read, and is said.
func TestNothingIsLostInColumns(t *testing.T) {
	p := &Page{Now: noon}
	n := named(t, p, "n", entries(5000, "true")...)
	for _, most := range []int{1, 14, mostColumns, 2 * mostColumns} {
		cols, _ := columnsOf(n.drawn, n.whole(p), most)
		var sum [kinds]uint64
		for i := range cols {
			for k, c := range cols[i].n {
				sum[k] += uint64(c)
			}
		}
		for k := range kinds {
			if want := of(&n.Stats.Totals, k); sum[k] != want {
				t.Errorf("%d columns: %d of kind %d, want %d", len(cols), sum[k], k, want)
			}
		}
		for i := range cols {
			c, within := &cols[i], 0
			for _, r := range n.drawn {
				if !r.from.Before(c.from) && r.from.Before(c.to) {
					within++
				}
			}
			if within != c.runs()+c.n[skip] {
				t.Errorf("%d records in the column from %v, want %d", c.runs()+c.n[skip], c.from, within)
			}
		}
		if len(cols) > most+2 {
			t.Errorf("%d columns, %d were wanted", len(cols), most)
		}
	}
	if page := string(p.HTML(p.Choose())); !strings.Contains(page, "5,000 records are summed up here") || !strings.Contains(page, "The last 80 records") {
		t.Error("it is not said what was summed up")
	}
}

// Every record that is drawn by itself is there, and skips are counted as overlaps.
func TestEachRecordIsDrawn(t *testing.T) {
	p := &Page{Now: noon}
	n := named(t, p, "n", entries(200, "true")...)
	var bars, skips, crosses int
	for _, e := range elements(t, p.HTML(p.Choose())) {
		switch {
		case e.tag == "rect" && e.attr["height"] == "14":
			bars++
		case e.tag == "use" && e.attr["href"] == "#m-skip" && strings.HasPrefix(e.text, "skipped"):
			skips++
		case e.tag == "use" && e.attr["href"] == "#m-bad" && e.text == "" && e.attr["x"] != "9":
			crosses++
		}
	}
	s := &n.Stats
	if uint64(bars) != s.Runs() || uint64(skips) != s.Count[history.Skipped] || uint64(crosses) != of(&s.Totals, bad) {
		t.Errorf("%d bars, %d skips, %d crosses of %v", bars, skips, crosses, s.Count)
	}
	if !strings.Contains(string(p.HTML(p.Choose())), count(s.Count[history.Skipped])+" overlaps were prevented") {
		t.Error("it is not said how many overlaps were prevented")
	}
}

// Runs at the same time are not drawn over each other.
func TestLanes(t *testing.T) {
	at := func(from, to int) mark {
		return mark{from: noon.Add(time.Duration(from) * time.Minute), to: noon.Add(time.Duration(to) * time.Minute), outcome: history.OK}
	}
	if got := fmt.Sprint(lanesOf([]mark{at(0, 10), at(1, 3), at(2, 5), at(3, 4), at(10, 11)})); got != "[0 1 2 1 0]" {
		t.Error(got)
	}
}

// The figures are of what is shown; what is usual, and the last success, of all.
func TestSince(t *testing.T) {
	p := &Page{Now: noon, Since: noon.Add(-30 * time.Minute)}
	e := entries(100, "true")
	n := named(t, p, "n", e...)
	if got := n.Stats.Runs() + n.Stats.Count[history.Skipped]; got != 30 || n.All.Usual.N != 32 {
		t.Errorf("%d records, usual of %d", got, n.All.Usual.N)
	}
	n = named(t, &Page{Now: noon, Since: noon.Add(time.Hour)}, "n", e...)
	if n.Stats.Runs() != 0 || n.All.LastOK.IsZero() {
		t.Errorf("%+v", n.Stats)
	}
}
