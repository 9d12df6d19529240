//go:build linux

// Package model compares the program with a model of it. rapid draws what happens to a few
// names (starts of each kind, ends, kills, stops) and the model says beforehand who then holds
// them, who waits in which order, who was skipped and why. After each step the program must
// come to what the model says, and stay there.
//
// A failure is shrunk, and says how it is repeated: -rapid.seed or -rapid.failfile. The short
// form runs by default, the long one with SOLE_FULL=1 or for DURATION.
package model

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sole-run/sole/internal/early"
)

// How many sequences are tried, and about how many steps each has.
const (
	shortChecks, longChecks = 20, 600
	steps                   = 40
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withBinary(m))
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sole-model-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "sole")
	build := exec.Command("go", "build", "-ldflags", "-E "+early.Entry, "-o", binary, "github.com/sole-run/sole/cmd/sole")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	for _, v := range os.Environ() {
		if k, _, _ := strings.Cut(v, "="); strings.HasPrefix(k, "SOLE_") && k != "SOLE_FULL" {
			os.Unsetenv(k)
		}
	}
	return m.Run()
}

func TestModel(t *testing.T) {
	checks := shortChecks
	if os.Getenv("SOLE_FULL") == "1" {
		checks = longChecks
	}
	unlessGiven("rapid.checks", strconv.Itoa(checks))
	unlessGiven("rapid.steps", strconv.Itoa(steps))
	d, _ := time.ParseDuration(os.Getenv("DURATION"))
	for end := time.Now().Add(d); ; {
		rapid.Check(t, sequence)
		if t.Failed() || !time.Now().Before(end) {
			return
		}
	}
}

// unlessGiven sets a flag that the command line leaves out.
func unlessGiven(name, value string) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given {
		_ = flag.Set(name, value)
	}
}
