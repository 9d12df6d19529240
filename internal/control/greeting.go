package control

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// magic is the first word of a greeting.
const magic = "sole-control"

// TakesCalls is the feature of a server that takes `do` and `call`.
const TakesCalls = "call"

// Greeting is what a server says first: who holds which name.
type Greeting struct {
	Version  int
	Name     string
	PID      int // as the server sees itself
	Run      uint64
	Features []string
}

// Has reports whether the server has a feature.
func (g Greeting) Has(feature string) bool { return slices.Contains(g.Features, feature) }

// String is the greeting as a line, without its end.
func (g Greeting) String() string {
	b := fmt.Sprintf("%s %d %s %d %d", magic, g.Version, g.Name, g.PID, g.Run)
	for _, f := range g.Features {
		b += " " + f
	}
	return b
}

// ParseGreeting reads a greeting. Of a version that is not spoken here only the
// version is read.
func ParseGreeting(line string) (Greeting, error) {
	bad := &ProtocolError{"the greeting is " + quote(line)}
	f := strings.Split(line, " ")
	if len(f) < 2 || f[0] != magic {
		return Greeting{}, bad
	}
	version, err := number(f[1], 1<<30)
	if err != nil || version == 0 {
		return Greeting{}, bad
	}
	g := Greeting{Version: version}
	if version != Version {
		return g, &ProtocolError{fmt.Sprintf("it has version %d, and this is %d", version, Version)}
	}
	if len(f) < 5 || f[2] == "" || slices.Contains(f[5:], "") {
		return Greeting{}, bad
	}
	g.Name = f[2]
	if g.PID, err = number(f[3], 1<<31-1); err != nil {
		return Greeting{}, bad
	}
	if g.Run, err = strconv.ParseUint(f[4], 10, 64); err != nil || strconv.FormatUint(g.Run, 10) != f[4] {
		return Greeting{}, bad
	}
	if len(f) > 5 {
		g.Features = f[5:]
	}
	return g, nil
}

// number reads a decimal number in its only form: no sign, no leading zero.
func number(s string, atMost int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > atMost || strconv.Itoa(n) != s {
		return 0, &ProtocolError{quote(s) + " is not a number that can be here"}
	}
	return n, nil
}

// quote shows what somebody sent.
func quote(s string) string {
	if len(s) > 60 {
		return strconv.QuoteToASCII(s[:60]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
