package report

import (
	_ "embed"
	"slices"
	"strings"
	"time"
)

//go:embed style.css
var style string

const (
	// MaxSections is how many names have a section of their own at most.
	MaxSections = 40
	// budget is how large the sections may be together. One is drawn in any case.
	budget = 640 << 10
)

// Choose returns the names that are to have a section, the most urgent and then the latest ones first.
func (p *Page) Choose() []*Name {
	all := slices.Clone(p.Names)
	slices.SortStableFunc(all, func(a, b *Name) int {
		_, ra := a.attention(p.Now)
		_, rb := b.attention(p.Now)
		if ra != rb {
			return rb - ra
		}
		return b.latest().Compare(a.latest())
	})
	return all[:min(len(all), MaxSections)]
}

// latest is when something happened last.
func (n *Name) latest() time.Time {
	t := n.All.Last.Ended
	for _, h := range n.Now {
		t = later(t, h.Started)
	}
	return t
}

// HTML is the page. chosen are the names that have a section as far as there is room, the most
// urgent first.
func (p *Page) HTML(chosen []*Name) []byte {
	sections := map[*Name]*markup{}
	linked := map[*Name]bool{}
	size := 0
	for _, n := range chosen {
		s := n.section(p)
		if size += len(s.b); size > budget && len(sections) > 0 {
			break
		}
		sections[n], linked[n] = s, true
	}
	m := &markup{b: make([]byte, 0, size+64<<10)}
	m.b = append(m.b, "<!DOCTYPE html>\n"...)
	m.open("html", "lang", "en")
	p.head(m)
	m.open("body")
	marks(m)
	p.header(m)
	m.open("main")
	p.top(m, linked)
	for _, n := range p.Names {
		if s := sections[n]; s != nil {
			m.inside(s)
		}
	}
	if k := len(p.Names) - len(sections); k > 0 {
		m.el("p", things(uint64(k), "name")+" "+verb(k, "has", "have")+" no section here, so that the page stays small. 'sole report NAME' draws one of them.", "class", "note")
	}
	m.end()
	p.footer(m)
	m.end()
	m.end()
	return m.b
}

func (p *Page) title() string {
	s := "sole"
	if p.Only != "" {
		s = p.Only
	}
	if p.Host != "" {
		s += " on " + p.Host
	}
	return s
}

func (p *Page) head(m *markup) {
	m.open("head")
	m.leaf("meta", "charset", "utf-8")
	m.leaf("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
	m.leaf("meta", "name", "color-scheme", "content", "light dark")
	m.leaf("meta", "name", "generator", "content", "sole report")
	// Nothing is loaded, whatever somebody's text may say.
	m.leaf("meta", "http-equiv", "Content-Security-Policy", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'")
	m.leaf("meta", "name", "referrer", "content", "no-referrer")
	m.leaf("link", "rel", "icon", "href", "data:,") // browsers ask for one
	m.el("title", p.title())
	m.open("style")
	m.b = append(m.b, style...)
	m.end()
	m.end()
}

func (p *Page) header(m *markup) {
	m.open("header")
	m.open("h1")
	m.text("What happened: ")
	m.el("bdi", p.title())
	m.end()
	m.open("p", "class", "sub")
	m.text("As of ")
	p.moment(m, p.Now)
	if !p.Since.IsZero() {
		m.text(", from ")
		p.moment(m, p.Since)
		m.text(" on")
	}
	m.text(". Times are " + p.zone() + ".")
	m.end()
	m.end()
}

// top is what comes before the sections.
func (p *Page) top(m *markup, linked map[*Name]bool) {
	for _, s := range p.Missing {
		m.el("p", "Not in this page: "+s, "class", "warning")
	}
	if p.Only != "" {
		return
	}
	if len(p.Names) == 0 {
		m.el("p", "No name has run in "+p.Dir+" yet.", "class", "empty")
		return
	}
	if len(p.Names) > 1 {
		p.totals(m)
	}
	p.needLook(m, linked)
	if len(p.Names) > 1 {
		p.index(m, linked)
	}
}

func (p *Page) footer(m *markup) {
	m.open("footer")
	m.open("p")
	m.text("Succeeded: those that succeeded of those that succeeded or failed. Failed: any exit code but 0, killed by a signal, ended at the time limit, name lost, or the supervisor died. " +
		"A run that was replaced, or of which nobody can know how it ended, is neither. Usually: the median of the last 32 runs that succeeded.")
	m.end()
	m.open("p")
	m.text("Made by sole report of " + p.Dir + ".")
	m.end()
	m.end()
}

// id is what links to the name lead to.
func (n *Name) id() string {
	return "n-" + strings.Map(func(r rune) rune {
		if 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 || '0' <= r && r <= '9' || strings.ContainsRune("._@:+-", r) {
			return r
		}
		return '_'
	}, n.Name)
}
