//go:build !(linux && (amd64 || arm64))

package early

// Take returns nothing: there is no early start on this system.
func Take(string) (Held, bool) { return Held{}, false }

// Ignored returns none, likewise.
func Ignored() uint64 { return 0 }

// Started reports false, likewise.
func Started() bool { return false }

// Adopt returns nothing, likewise.
func Adopt() (Running, bool) { return Running{}, false }
