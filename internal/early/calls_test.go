//go:build linux && (amd64 || arm64)

package early_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/early"
)

// allowed are the functions of the Go runtime that may be called before it starts: they
// need neither heap nor scheduler, or are called when all is lost anyway.
var allowed = regexp.MustCompile(`^runtime\.(` + strings.Join([]string{
	`memmove`, `memequal(_varlen)?`, `memclrNoHeapPointers`, `duffcopy`, `duffzero`, `cmpstring`,
	`panic(Index|Slice|Bounds)\w*`, `panicdivide`, `panicshift`, `panicmem`, `panicunsafestring\w+`, `panicunsafeslice\w+`, `panicSliceConvert`,
	`morestack\w*`,     // the stack limit is 0
	`gcWriteBarrier\d`, // never: the collector is off
	`wbZero`, `wbMove`,
	`typedslicecopy`,
}, "|") + `)(\.abi0)?$`)

// writable are the variables that may be used: they begin as zeros or as the linker lays
// them out. No init function has run when they are read.
var writable = regexp.MustCompile(`^(` + strings.Join([]string{
	`github\.com/sole-run/sole/internal/early\.(kernelStack|localStorage|noG|now)`,
	`github\.com/sole-run/sole/internal/record\.crcTable`,
	`github\.com/sole-run/sole/internal/signals\.(earlyAction|earlyPipe|pipeWriter)`,
	`time\.Local`,                  // its address is taken, which the linker knows
	`runtime\.writeBarrier`,        // off
	`runtime\.memmoveBits`,         // what the processor can do: nothing, it says
	`internal/cpu\.X86`,            // the same
	`runtime\.(shift|divide)Error`, // when all is lost
}, "|") + `)$`)

// mostStack is how deep the calls may go on the stack that the kernel has made, which has
// no guard but the end of what RLIMIT_STACK leaves.
const mostStack = 6 << 10

// TestCallsNoRuntime walks the calls of the linked program from the entry point on.
func TestCallsNoRuntime(t *testing.T) {
	readSources(t)
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			p := disassemble(t, build(t, arch))
			for _, f := range p.forbidden(early.Entry) {
				t.Error(f)
			}
			deepest, way := p.depth(early.Entry)
			if t.Logf("%d bytes of stack: %s", deepest, way); deepest < 1000 || deepest > mostStack {
				t.Errorf("%d bytes of stack, in %s", deepest, way)
			}
		})
	}
}

// A check that cannot fail is none.
func TestCallsNoRuntimeNoticesOne(t *testing.T) {
	p := program{
		"entry": {calls: []string{"a", "runtime.memmove"}, frame: 32},
		"a":     {calls: []string{"b", "runtime.panicIndex"}, data: []string{"x", "time.Local"}},
		"b":     {calls: []string{"runtime.newobject"}, frame: 100},
		"c":     {calls: []string{"runtime.growslice"}},
		"d":     {calls: []string{"*"}},
		"e":     {calls: []string{"f"}},
		"f":     {calls: []string{"e"}},
	}
	if got, want := p.forbidden("entry"), []string{"entry → a uses x", "entry → a → b → runtime.newobject"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := p.forbidden("d"); len(got) != 1 {
		t.Errorf("an indirect call: %q", got)
	}
	if n, way := p.depth("entry"); n != 132+3*linkage || way != "entry → a → b" {
		t.Errorf("depth %d, %s", n, way)
	}
	if n, _ := p.depth("e"); n < endless {
		t.Errorf("an endless recursion: depth %d", n)
	}
}

// TestNoEntryWithCgo: the early start of a program with cgo would crash, so there is none.
func TestNoEntryWithCgo(t *testing.T) {
	readSources(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	c := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "sole"), "-ldflags", "-E "+early.Entry, soleProgram)
	c.Env = append(os.Environ(), "CGO_ENABLED=1", "GOARCH="+runtime.GOARCH)
	if said, err := c.CombinedOutput(); err == nil || !strings.Contains(string(said), early.Entry) {
		t.Errorf("%v\n%s", err, said)
	}
}

// A result is kept as long as the test's own files stay the same; so these are some.
func readSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"early", "fixed", "record", "lockdir", "name", "proc", "signals"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, f := range files {
			if _, err := os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const soleProgram = "github.com/sole-run/sole/cmd/sole"

// build links the program with the early entry point, and returns its path.
func build(t *testing.T, arch string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sole")
	c := exec.Command("go", "build", "-o", out, "-ldflags", "-E "+early.Entry, soleProgram)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return out
}

// forbidden returns the ways from the function that lead into the runtime or to a variable
// that is made at the start, the shortest to each place.
func (p program) forbidden(from string) []string {
	var found []string
	way := map[string]string{from: from}
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for _, v := range p.of(at).data {
			if !writable.MatchString(v) {
				found = append(found, way[at]+" uses "+v)
			}
		}
		for _, to := range p.of(at).calls {
			if _, seen := way[to]; seen || leaf(to) {
				continue
			}
			if to == "*" {
				found = append(found, way[at]+" → an indirect call")
				continue
			}
			way[to] = way[at] + " → " + to
			if strings.HasPrefix(to, "runtime.") || p[to] == nil {
				found = append(found, way[to])
				continue
			}
			todo = append(todo, to)
		}
	}
	return found
}

// leaf reports whether the walk ends at the function.
func leaf(f string) bool {
	return allowed.MatchString(f) || f == "_rt0_amd64_linux" || f == "_rt0_arm64_linux"
}

const (
	linkage = 16      // what a call itself takes at most
	endless = 1 << 30 // the depth of a recursion
)

// depth is how much stack the function and what it calls need at most, and by which calls.
// The runtime is left out: forbidden says if it is called.
func (p program) depth(f string) (bytes int, way string) {
	type result struct {
		bytes int
		way   string
	}
	known := map[string]result{}
	var walk func(f string) result
	walk = func(f string) result {
		if r, ok := known[f]; ok {
			return r
		}
		known[f] = result{endless, f + " again"} // until its end
		r := result{}
		if in := p.of(f); in != nil {
			for _, to := range in.calls {
				if leaf(to) || strings.HasPrefix(to, "runtime.") {
					continue
				}
				if below := walk(to); below.bytes > r.bytes {
					r = result{below.bytes, " → " + below.way}
				}
			}
			r.bytes += in.frame
		}
		r = result{r.bytes + linkage, f + r.way}
		known[f] = r
		return r
	}
	r := walk(f)
	return r.bytes, r.way
}
