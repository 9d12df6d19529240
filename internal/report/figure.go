package report

import (
	"strconv"
	"time"
)

// A picture is drawn in pixels from top to bottom, and in parts of its width from left to right. So it
// fits any width, and its text stays as large as other text.

// span is the time that a picture shows.
type span struct{ from, to time.Time }

// at is where a moment is, as an SVG length.
func (s span) at(t time.Time) string { return part(s.fraction(t)) }

func (s span) fraction(t time.Time) float64 {
	f := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return min(max(f, 0), 1)
}

// part is a part of the width.
func part(f float64) string {
	return string(strconv.AppendFloat(nil, float64(int64(f*10000+0.5))/100, 'f', -1, 64)) + "%"
}

// px is a length in pixels.
func px(f float64) string {
	return string(strconv.AppendFloat(nil, float64(int64(f*10+0.5))/10, 'f', -1, 64))
}

// figure is one picture with what is around it.
type figure struct {
	id      string
	caption string
	note    string // below the picture
	title   string // for those who do not see it
	desc    string
	span    span
	height  float64 // without the time axis
	left    []label
	right   []label
	// rules are the heights of horizontal lines.
	rules  []float64
	legend []legend
	draw   func(m *markup)
}

// label stands beside the picture.
type label struct {
	y     float64
	text  string
	class string
}

// legend explains a sign.
type legend struct{ sign, text string }

const axisHeight = 36

func (f *figure) write(m *markup) {
	m.open("figure")
	m.el("figcaption", f.caption)
	class := "chart"
	if len(f.right) > 0 {
		class = "chart two"
	}
	m.open("div", "class", class)
	f.gutter(m, "left", f.left)
	h := px(f.height + axisHeight)
	m.open("svg", "class", "plot", "role", "img", "aria-labelledby", f.id+"-t "+f.id+"-d", "width", "100%", "height", h)
	m.el("title", f.title, "id", f.id+"-t")
	m.el("desc", f.desc, "id", f.id+"-d")
	f.axis(m)
	f.draw(m)
	m.end()
	if len(f.right) > 0 {
		f.gutter(m, "right", f.right)
	}
	m.end()
	f.explain(m)
	if f.note != "" {
		m.el("p", f.note, "class", "note")
	}
	m.end()
}

func (f *figure) gutter(m *markup, side string, labels []label) {
	m.open("svg", "class", "gutter "+side, "aria-hidden", "true", "height", px(f.height+axisHeight))
	for _, l := range labels {
		x := "100%"
		if side == "right" {
			x = "0"
		}
		m.el("text", l.text, "x", x, "y", px(l.y), "dy", "0.32em", "class", l.class)
	}
	m.end()
}

// axis draws the time, and the lines behind everything.
func (f *figure) axis(m *markup) {
	for _, y := range f.rules {
		m.leaf("line", "class", "rule", "x1", "0", "x2", "100%", "y1", px(y), "y2", px(y))
	}
	s := stepFor(f.span.to.Sub(f.span.from), 8)
	var ticks []time.Time
	for _, t := range s.edges(f.span.from, f.span.to) {
		if !t.Before(f.span.from) && !t.After(f.span.to) {
			ticks = append(ticks, t)
		}
	}
	var before, beforeEven time.Time
	for i, t := range ticks {
		x := f.span.at(t)
		m.leaf("line", "class", "rule", "x1", x, "x2", x, "y1", "0", "y2", px(f.height+4))
		text, below := s.labels(t, before)
		class := "tick"
		if i%2 == 1 {
			class = "tick odd" // left out where there is little room
		} else if _, b := s.labels(t, beforeEven); b != "" && below == "" {
			// What is new since the last label that is left stands on one that is left out.
			m.el("text", b, "class", "tick narrow", "x", x, "y", px(f.height+32), "text-anchor", anchor(f.span.fraction(t)))
		}
		if i%2 == 0 {
			beforeEven = t
		}
		before = t
		m.el("text", text, "class", class, "x", x, "y", px(f.height+18), "text-anchor", anchor(f.span.fraction(t)))
		if below != "" {
			m.el("text", below, "class", class, "x", x, "y", px(f.height+32), "text-anchor", anchor(f.span.fraction(t)))
		}
	}
	m.leaf("line", "class", "base", "x1", "0", "x2", "100%", "y1", px(f.height), "y2", px(f.height))
}

// anchor keeps labels within the picture.
func anchor(f float64) string {
	switch {
	case f < 0.04:
		return "start"
	case f > 0.96:
		return "end"
	}
	return "middle"
}

func (f *figure) explain(m *markup) {
	if len(f.legend) == 0 {
		return
	}
	m.open("ul", "class", "legend")
	for _, l := range f.legend {
		m.open("li")
		m.open("svg", "width", "18", "height", "14", "aria-hidden", "true")
		sign(m, l.sign)
		m.end()
		m.text(l.text)
		m.end()
	}
	m.end()
}

// sign draws what stands for something, for the legend.
func sign(m *markup, name string) {
	switch name {
	case "ok", "cross", "other", "now", "skips":
		m.leaf("rect", "class", name, "x", "2", "y", "2", "width", "14", "height", "10")
	case "p50", "p95":
		m.leaf("line", "class", name, "x1", "0", "x2", "18", "y1", "7", "y2", "7")
	case "range":
		m.leaf("line", "class", "range", "x1", "9", "x2", "9", "y1", "1", "y2", "13")
	default: // a mark that is defined once
		m.leaf("use", "href", "#"+name, "x", "9", "y", "7")
	}
}

// marks are the signs that are used by reference, and the patterns.
func marks(m *markup) {
	m.open("svg", "class", "defs", "aria-hidden", "true", "width", "0", "height", "0")
	m.open("defs")
	m.open("pattern", "id", "hatch", "width", "5", "height", "5", "patternUnits", "userSpaceOnUse", "patternTransform", "rotate(45)")
	m.leaf("rect", "class", "hatch-ground", "width", "5", "height", "5")
	m.leaf("rect", "class", "hatch-line", "width", "2", "height", "5")
	m.end()
	m.open("pattern", "id", "stripe", "width", "4", "height", "4", "patternUnits", "userSpaceOnUse")
	m.leaf("rect", "class", "stripe-ground", "width", "4", "height", "4")
	m.leaf("rect", "class", "stripe-line", "width", "4", "height", "2")
	m.end()
	m.open("pattern", "id", "crossed", "width", "6", "height", "6", "patternUnits", "userSpaceOnUse")
	m.leaf("rect", "class", "cross-ground", "width", "6", "height", "6")
	m.leaf("path", "class", "cross-line", "d", "M0 0l6 6M6 0l-6 6")
	m.end()
	m.leaf("path", "id", "m-skip", "class", "m-skip", "d", "M-5 -4h10l-5 8z")
	m.leaf("path", "id", "m-bad", "class", "m-bad", "d", "M-3.5 -3.5l7 7M-3.5 3.5l7 -7")
	m.leaf("circle", "id", "m-ok", "class", "m-ok", "r", "3")
	m.leaf("rect", "id", "m-other", "class", "m-other", "x", "-3", "y", "-3", "width", "6", "height", "6")
	m.end()
	m.end()
}
