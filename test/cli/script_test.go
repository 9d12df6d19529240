package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs are small commands for the scripts.
var programs = map[string]string{
	// code N COMMAND… succeeds if COMMAND exits with N.
	"code": `want=$1; shift; "$@"; got=$?; [ $got = $want ] || { echo "exit code $got, not $want" >&2; exit 1; }`,
	// hold holds until somebody reads "up" and writes "go".
	"hold": `mkfifo up go 2>/dev/null; echo up >up; read -r x <go; exit ${x:-0}`,
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			bin := filepath.Join(e.WorkDir, ".bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			for name, text := range programs {
				if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
					return err
				}
			}
			e.Setenv("PATH", bin+":"+filepath.Dir(binary)+":"+os.Getenv("PATH"))
			e.Setenv("SOLE_DIR", filepath.Join(e.WorkDir, "names"))
			return nil
		},
	})
}
