//go:build !(linux && (amd64 || arm64))

package early

// Take returns nothing: there is no early start on this system.
func Take(string) (Held, bool) { return Held{}, false }

// Started reports false, likewise.
func Started() bool { return false }

// Adopt returns nothing, likewise.
func Adopt() (Running, bool) { return Running{}, false }
