package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peers/empty/main.go
var emptySource []byte

//go:embed peers/floor/main.go
var floorSource []byte

// findPeers looks up the peers that are programs, and builds the two in Go.
func (b *bench) findPeers() {
	for _, p := range []string{"flock", "setlock", "lslocks", "sem"} {
		path, err := exec.LookPath(p)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			b.table.missing(p + ": " + err.Error())
			continue
		}
		b.peers[p] = path
	}
	b.build("empty", emptySource)
	b.build("floor", floorSource)
}

// build makes a peer as sole itself is built, so that the flags explain nothing.
func (b *bench) build(what string, source []byte) {
	src, out := filepath.Join(b.disk, what+".go"), filepath.Join(b.disk, what)
	if err := os.WriteFile(src, source, 0o600); err != nil {
		b.table.missing(what + ": " + err.Error())
		return
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, src)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := cmd.CombinedOutput(); err != nil {
		b.table.missing(fmt.Sprintf("%s: %v %s", what, err, said))
		return
	}
	b.peers[what] = out
}
