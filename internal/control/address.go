package control

import (
	"encoding/hex"
	"hash/fnv"
	"path/filepath"
	"strconv"
)

// maxPath is how long the address of a socket may be (sun_path, unix(7)).
const maxPath = 108

// Address is where a socket is: a path, or "@" and a name in the abstract namespace.
type Address struct{ text string }

// At is the socket file at path. A path may be of any length that the system takes.
func At(path string) Address {
	if path != "" && path[0] == '@' {
		path = "./" + path
	}
	return Address{path}
}

// Abstract is the address of key for a user in the abstract namespace:
// sole/UID/KEY. The end of a key that is too long is replaced by its hash.
func Abstract(uid int, key string) Address {
	prefix := "@sole/" + strconv.Itoa(uid) + "/"
	if len(prefix)+len(key) > maxPath {
		h := fnv.New128a()
		h.Write([]byte(key))
		sum := "#" + hex.EncodeToString(h.Sum(nil))
		key = key[:maxPath-len(prefix)-len(sum)] + sum
	}
	return Address{prefix + key}
}

// IsAbstract reports whether the address is no path.
func (a Address) IsAbstract() bool { return a.text != "" && a.text[0] == '@' }

// String is the path, or the abstract name behind "@".
func (a Address) String() string { return a.text }

// split is the directory and the file of a path.
func (a Address) split() (dir, file string) { return filepath.Dir(a.text), filepath.Base(a.text) }

// Peer is who is at the other end, as the kernel says: the process that connected, or
// the one that began to listen.
type Peer struct {
	UID, GID int
	// PID is 0 if the process is in a pid namespace that cannot be seen.
	PID int
}
