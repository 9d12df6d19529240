package crontab

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/sole-run/sole/internal/name"
)

// maxName keeps what is made here readable.
const maxName = 48

// sanitize makes s a name, or empty.
func sanitize(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if isAlnum(c) || strings.IndexByte("._@+", c) >= 0 {
			b.WriteByte(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		if b.Len() == maxName {
			break
		}
	}
	return strings.Trim(b.String(), "-._@+")
}

// wanted is a thing that gets one name: a command, or a lock file that several use.
type wanted struct {
	bare  bool     // there is nothing but the program: of several, this one has the plain name
	names []string // from the best on; the last one is sure to be its own
	level int
}

// want lists the names that a thing could get. It does not depend on what else is in the
// crontab, nor on the order of lines.
func want(d described, user, key string) *wanted {
	main := sanitize(d.main)
	if main == "" {
		main = "job"
	}
	w := &wanted{names: []string{main}, bare: len(d.more) == 0}
	longer := main
	for _, m := range d.more {
		longer = sanitize(longer + "-" + m)
		w.names = append(w.names, longer)
	}
	if s := sanitize(main + "-" + d.place); d.place != "" && s != main {
		w.names = append(w.names, s)
	}
	if user != "" {
		if s := sanitize(main + "-" + user); s != "" {
			w.names = append(w.names, s)
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	for _, digits := range []int{4, 16} {
		w.names = append(w.names, fmt.Sprintf("%s-%s", main, fmt.Sprintf("%016x", h.Sum64())[:digits]))
	}
	return w
}

func (w *wanted) name() string { return w.names[w.level] }

// settle gives each thing a name that no other one has, and none that is taken.
func settle(all map[string]*wanted, taken map[string]bool) {
	for again := true; again; {
		again = false
		users, bare := map[string]int{}, map[string]int{}
		for _, w := range all {
			users[w.name()]++
			if w.bare && w.level == 0 {
				bare[w.name()]++
			}
		}
		for _, w := range all {
			n := w.name()
			first := w.bare && w.level == 0 && bare[n] == 1
			if (users[n] > 1 && !first || taken[n]) && w.level+1 < len(w.names) {
				w.level++
				again = true
			}
		}
	}
}

// CheckName says whether a name can be used.
func CheckName(n string) error { return name.Check(n) }
