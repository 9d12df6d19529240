// Package name says what a name may look like, and makes one from a command.
package name

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"path"
)

// MaxLen is how many bytes a name may have.
const MaxLen = 128

// Error says why something is not a name.
type Error struct {
	Name   string
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("%q is not a name: %s", shorten(e.Name), e.Reason) }

func shorten(s string) string {
	if len(s) > MaxLen {
		return s[:MaxLen] + "…"
	}
	return s
}

// Valid reports whether n is a name, as [Check] does, without the Go runtime.
func Valid(n string) bool {
	if n == "" || len(n) > MaxLen || !alphanumeric(n[0]) {
		return false
	}
	for i := range len(n) {
		if !valid(n[i]) {
			return false
		}
	}
	return true
}

// Check returns an *Error unless n is a name: 1 to 128 bytes, ASCII letters, digits
// and . _ - @ : +, the first a letter or digit. So a name is one component of a path,
// never hidden, and never looks like a flag.
func Check(n string) error {
	switch {
	case Valid(n):
		return nil
	case n == "":
		return &Error{n, "it is empty"}
	case len(n) > MaxLen:
		return &Error{n, fmt.Sprintf("it has %d bytes, more than %d", len(n), MaxLen)}
	case !alphanumeric(n[0]):
		return &Error{n, "it does not begin with an ASCII letter or digit"}
	}
	for i := range len(n) {
		if !valid(n[i]) {
			return &Error{n, fmt.Sprintf("%q is not among ASCII letters, digits and . _ - @ : +", rune(n[i]))}
		}
	}
	return nil
}

func valid(c byte) bool {
	switch c {
	case '.', '_', '-', '@', ':', '+':
		return true
	}
	return alphanumeric(c)
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// maxStem keeps a made name readable.
const maxStem = 40

// FromCommand makes a name from the exact words of a command: the program's name,
// for people, and the 128-bit FNV-1a hash of the words with a NUL behind each. No
// argument can contain a NUL, so `a "b c"` and `a b c` get different names. The hash is not
// one that withstands an attacker, who could only collide with his own commands;
// crypto/sha256 would add to the start of every run.
func FromCommand(words []string) string { return made(words[0], words) }

// FromFile makes a name from the path of a file. It differs from that of each command,
// whose first word is never empty: so a script that holds itself can be the command of a run.
func FromFile(file string) string { return made(file, []string{"", file}) }

// made begins with the base name of file.
func made(file string, words []string) string {
	h := fnv.New128a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	stem := make([]byte, 0, maxStem+33)
	for _, c := range []byte(path.Base(file)) {
		if len(stem) < maxStem && valid(c) && (len(stem) > 0 || alphanumeric(c)) {
			stem = append(stem, c)
		}
	}
	if len(stem) == 0 {
		stem = append(stem, "command"...)
	}
	return string(stem) + "-" + hex.EncodeToString(h.Sum(nil))
}
