package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// row is a line of the table. figure counts the lines of DESIGN.md's table; 0 is a
// line that is for comparison only.
type row struct {
	name     string
	figure   int
	ours     sample
	peer     sample
	peerName string
	target   float64       // of the ratio
	limit    time.Duration // of our own time
	byMax    bool          // the limit is for the slowest
	broken   bool          // something beside the time is wrong; note says what
	note     string
}

// table prints each line as soon as it is known.
type table struct {
	absent []string
	notes  []string
	missed []string
}

const line = "%-34s %3s  %9s %9s  %-22s %9s %9s  %6s  %-8s %s\n"

func (t *table) head(b *bench) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("Linux %s, %d cores, load %s, %s; disk: %s (%s); budget %s\n", strings.TrimSpace(string(kernel)),
		runtime.NumCPU(), strings.Fields(string(load) + " ?")[0], runtime.Version(), b.disk, filesystem(b.disk), b.total)
	fmt.Println("Figures are numbered as the lines of DESIGN.md; a line without a number is for comparison.")
	for _, m := range t.absent {
		fmt.Println("missing:", m)
	}
	fmt.Println()
	fmt.Printf(line, "row", "fig", "ours p50", "p90", "peer", "p50", "p90", "ratio", "target", "reached")
}

func (t *table) missing(what string) { t.absent = append(t.absent, what) }

func (t *table) note(n string) { t.notes = append(t.notes, n) }

// ratio prints a row that is judged by comparison with its peer.
func (t *table) ratio(r row) {
	if r.peer == nil {
		t.print(r, "", goal(r.target, "≤ %.1f×"), "peer missing")
		return
	}
	x := ratio(r.ours, r.peer)
	t.print(r, fmt.Sprintf("%.2f×", x), goal(r.target, "≤ %.1f×"), t.verdict(r, x <= r.target))
}

// limit prints a row that is judged by its own time.
func (t *table) limit(r row) {
	x := ""
	if r.peer != nil {
		x = fmt.Sprintf("%.2f×", ratio(r.ours, r.peer))
	}
	took, target := r.ours.at(50), ""
	if r.byMax {
		took = r.ours.max()
	}
	if r.limit > 0 {
		target = "≤ " + short(r.limit)
	}
	t.print(r, x, target, t.verdict(r, took <= r.limit))
}

// amount prints a row that is no time.
func (t *table) amount(name string, figure int, mb, limit float64, broken bool, note string) {
	v := t.verdict(row{name: name, figure: figure, broken: broken}, mb <= limit)
	fmt.Printf(line, name, fmt.Sprint(figure), fmt.Sprintf("%.2f MB", mb), "", "", "", "", "", fmt.Sprintf("≤ %.0f MB", limit), v)
	t.note(name + ": " + note)
}

func (t *table) verdict(r row, reached bool) string {
	switch {
	case r.figure == 0:
		return ""
	case reached && !r.broken:
		return "yes"
	}
	t.missed = append(t.missed, fmt.Sprintf("%s (figure %d)", r.name, r.figure))
	return "NO"
}

func (t *table) print(r row, x, target, verdict string) {
	figure, p50, p90 := "", "", ""
	if r.figure > 0 {
		figure = fmt.Sprint(r.figure)
	}
	if r.peer != nil {
		p50, p90 = short(r.peer.at(50)), short(r.peer.at(90))
	}
	fmt.Printf(line, r.name, figure, short(r.ours.at(50)), short(r.ours.at(90)), r.peerName, p50, p90, x, target, verdict)
	if r.note != "" {
		t.note(r.name + ": " + r.note)
	}
}

func (t *table) foot() {
	fmt.Println()
	for _, n := range t.notes {
		fmt.Println(n)
	}
	if len(t.missed) == 0 {
		fmt.Println("missed: none")
		return
	}
	fmt.Println("missed:", strings.Join(t.missed, ", "))
}

func goal(target float64, form string) string {
	if target == 0 {
		return ""
	}
	return fmt.Sprintf(form, target)
}

// short prints a duration with three or four digits, in µs up to 10 ms.
func short(d time.Duration) string {
	switch us := float64(d) / float64(time.Microsecond); {
	case us < 100:
		return fmt.Sprintf("%.1f µs", us)
	case us < 10000:
		return fmt.Sprintf("%.0f µs", us)
	default:
		return fmt.Sprintf("%.1f ms", us/1000)
	}
}
