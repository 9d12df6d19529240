package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
)

// pageFaults is run in the page, and finds what a reader would.
const pageFaults = `(() => {
	const faults = [];
	const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
	const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, p = rgb(c); if (p.length === 3 || p[3] === 1) return c; } return 'rgb(255, 255, 255)'; };
	if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is ' + document.documentElement.scrollWidth + ' px wide in a window of ' + innerWidth);
	const seen = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let texts = 0;
	for (let n; (n = walk.nextNode());) {
		const e = n.parentElement, style = getComputedStyle(e);
		if (!n.data.trim() || !e.getClientRects().length || ['title', 'desc'].includes(e.localName)) continue;
		texts++;
		const color = e.namespaceURI.endsWith('svg') ? style.fill : style.color, behind = ground(e), key = color + behind;
		if (seen.has(key)) continue;
		seen.add(key);
		if (contrast(color, behind) < 4.5) faults.push('contrast of ' + JSON.stringify(n.data) + ' is ' + contrast(color, behind) + ': ' + color + ' on ' + behind);
	}
	if (!texts) faults.push('no text is to be seen');
	const back = ground(document.body);
	for (const e of document.querySelectorAll('.plot rect, .plot use, .plot polyline')) {
		const style = getComputedStyle(e.localName === 'use' ? document.querySelector(e.getAttribute('href')) : e);
		const colors = [style.fill, style.stroke].filter(c => c.startsWith('rgb'));
		if (colors.length && !colors.some(c => contrast(c, back) >= 3)) faults.push('contrast of a mark: ' + colors + ' on ' + back);
	}
	for (const svg of document.querySelectorAll('.plot, .gutter')) {
		const boxes = [...svg.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width);
		boxes.forEach(([a, r], i) => boxes.slice(i + 1).forEach(([b, s]) => {
			if (r.left < s.right && s.left < r.right && r.top + 3 < s.bottom && s.top + 3 < r.bottom) faults.push('labels over each other: ' + a.textContent + ', ' + b.textContent);
		}));
		for (const [e, r] of boxes) if (r.left < -0.5 || r.right > innerWidth + 0.5) faults.push('a label outside: ' + e.textContent);
	}
	return faults;
})()`

// reportFor writes the report about a directory of names, and returns its path.
func reportFor(t *testing.T, b *box, args ...string) string {
	t.Helper()
	path := b.file("report.html")
	b.expect(0, append([]string{"report", "-o", path}, args...)...)
	return path
}

// oddEntries are what no history should have, and some have.
func oddEntries(now time.Time) []history.Entry {
	hostile := []string{`"><script>console.log('1')</script>`, "]]>", "\x1b[31m", "\u202eevil", "שלום", `"'&`, strings.Repeat("long ", 300), strings.Repeat("x", 900)}
	all := []history.Entry{
		{Run: 1, Started: now.Add(-time.Hour), Ended: now.Add(-2 * time.Hour), Lasted: time.Minute, Outcome: history.OK, Command: hostile},
		{Run: 2, Started: time.Unix(5, 0), Ended: time.Unix(60, 0), Lasted: 55 * time.Second, Outcome: history.Failed, ExitCode: 1, Command: hostile},
		{Run: 3, Started: now.Add(-30 * time.Minute), Ended: now.Add(-30 * time.Minute), Outcome: history.OK, Command: hostile},
		{Run: 4, Started: now.Add(-100 * 24 * time.Hour), Ended: now.Add(-10 * time.Minute), Lasted: 100 * 24 * time.Hour, Outcome: history.Signaled, Signal: 9, ExitCode: history.NoCode, Command: hostile},
	}
	return all
}

// The page in a real browser without a network: nothing is loaded, nothing is complained about, all fits
// and can be read, wide and narrow, light and dark.
func TestReportInABrowser(t *testing.T) {
	web := startBrowser(t)
	now := time.Now()
	for _, c := range []struct {
		name string
		make func(b *box)
		args []string
	}{
		{"no run", func(*box) {}, []string{"nothing"}},
		{"one run", func(b *box) {
			writeHistory(t, b.dir, "once", newJob(now.Add(-time.Hour), time.Hour, 3*time.Second, "true").entries(1))
		}, nil},
		{"10,000 runs", func(b *box) {
			writeHistory(t, b.dir, "often", newJob(now.Add(-14*24*time.Hour), 2*time.Minute, 28*time.Second, "/usr/local/bin/backup.sh", "--all").entries(10000))
		}, nil},
		{"several names", func(b *box) {
			writeHistory(t, b.dir, "backup", newJob(now.Add(-14*24*time.Hour), 6*time.Hour, 28*time.Minute, "/usr/local/bin/backup.sh").entries(56))
			writeHistory(t, b.dir, "sync", newJob(now.Add(-24*time.Hour), 10*time.Minute, 3*time.Minute, "rsync").entries(143))
			writeHistory(t, b.dir, strings.Repeat("n", 128), oddEntries(now))
			b.hold("backup")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t)
			web.t = t
			c.make(b)
			events := web.open(reportFor(t, b, c.args...))
			shots := map[string]string{}
			for _, width := range []int{360, 800, 1400} {
				for _, scheme := range []string{"light", "dark"} {
					web.look(width, scheme)
					var faults []string
					web.eval(pageFaults, &faults)
					for _, f := range faults {
						t.Errorf("%d px, %s: %s", width, scheme, f)
					}
					shots[fmt.Sprint(width, scheme)] = web.screenshot()
				}
			}
			if shots["800light"] == shots["800dark"] {
				t.Error("light and dark look the same")
			}
			for _, e := range append(complaints(events), complaints(web.events)...) {
				t.Error(e)
			}
			named(web)
		})
	}
}

// named checks that whoever does not see the pictures is told what they show.
func named(web *browser) {
	web.t.Helper()
	var tree struct {
		Nodes []struct {
			Role, Name, Description struct{ Value string }
		}
	}
	web.call("Accessibility.getFullAXTree", nil, &tree)
	pictures := 0
	for _, n := range tree.Nodes {
		if role := n.Role.Value; role == "image" || role == "img" || role == "link" || role == "region" || role == "heading" {
			if n.Name.Value == "" {
				web.t.Errorf("a %s has no name", role)
			}
			if strings.HasPrefix(role, "im") {
				pictures++
			}
		}
	}
	var drawn int
	web.eval(`document.querySelectorAll('.plot').length`, &drawn)
	if pictures != drawn {
		web.t.Errorf("%d pictures are known to a screen reader, %d are drawn", pictures, drawn)
	}
}

// The control: what the check in the page finds.
func TestReportCheckNoticesFaults(t *testing.T) {
	web := startBrowser(t)
	path := filepath.Join(t.TempDir(), "bad.html")
	must(t, os.WriteFile(path, []byte(`<!DOCTYPE html><html lang="en"><title>x</title><body>
<script>console.log("hello")</script><img alt="" src="http://127.0.0.1:1/x.png">
<p style="color:#aaa;background:#fff">pale</p><div style="width:2000px">wide</div>
<svg class="plot" width="300" height="60"><rect fill="#eee" width="20" height="20"/><text x="10" y="20">one label</text><text x="20" y="22">another</text></svg>`), 0o600))
	events := web.open(path)
	web.look(360, "light")
	var faults []string
	web.eval(pageFaults, &faults)
	all := strings.Join(append(faults, complaints(events)...), "\n")
	mustContain(t, all, "the page is", `contrast of "pale"`, "contrast of a mark", "over each other", "consoleAPICalled", "request for http://127.0.0.1:1/x.png")
}
