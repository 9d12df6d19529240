// Package packages tests what `make package` builds: as bytes, and installed on Debian, used,
// upgraded and removed beside running jobs.
package packages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// stageEnv, in the environment of this test binary, is where the packages are, for the
// part that has mounts of its own.
const stageEnv = "SOLE_PACKAGE_STAGE"

var scratch string // removed at the end

const archOfHost = runtime.GOARCH

func TestMain(m *testing.M) {
	if os.Getenv(stageEnv) != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "sole-package-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Two builds of the same: what git would say of them, which a copy without git has not.
const (
	described = "v0.9.0-7-g0123abc"
	version   = "0.9.0+7.g0123abc-1"
	epoch     = "1700000000"
)

// built are the packages of the first build, made once.
var built = sync.OnceValues(func() (string, error) {
	return build("../..", filepath.Join(scratch, "first"))
})

// build runs the build of the sources in src, and returns where the packages are.
func build(src, dist string) (string, error) {
	c := exec.Command("sh", "packaging/build.sh")
	c.Dir = src
	c.Env = append(os.Environ(), "VERSION="+described, "SOURCE_DATE_EPOCH="+epoch, "DIST="+dist)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dist, nil
}

// packages returns the directory with the packages.
func packages(t *testing.T) string {
	t.Helper()
	need(t, "make", "gzip", "git")
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func deb(dir, arch string) string {
	return filepath.Join(dir, "sole_"+version+"_"+arch+".deb")
}

func rpm(dir string) string {
	return filepath.Join(dir, "sole-"+version+"."+map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]+".rpm")
}

// need skips the test if a program is missing, but fails it where nothing may be skipped.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			skip(t, err.Error()+": see scripts/test-packages.sh")
		}
	}
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// output is what a program prints; it must succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var errs strings.Builder
	c := exec.Command(name, args...)
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", c.Args, err, out, errs.String())
	}
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
