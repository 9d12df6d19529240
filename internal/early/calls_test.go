//go:build linux && (amd64 || arm64)

package early_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// A result is kept as long as the test's own files stay the same; so these are some.
func readSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"early", "record", "lockdir", "name", "proc", "signals"} {
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

// TestCallsNoRuntime walks the calls of the linked program from the entry point on.
func TestCallsNoRuntime(t *testing.T) {
	readSources(t)
	calls := disassemble(t, build(t, early.Entry))
	for _, f := range forbidden(calls, early.Entry) {
		t.Error(f)
	}
}

// A check that cannot fail is none: the ordinary way does everything that is forbidden.
func TestCallsNoRuntimeNoticesOne(t *testing.T) {
	calls := map[string][]string{
		"entry": {"a", "runtime.memmove"},
		"a":     {"b", "runtime.panicIndex"},
		"b":     {"a", "runtime.newobject"},
		"c":     {"runtime.growslice"},
		"d":     {"*"},
	}
	if got, want := forbidden(calls, "entry"), []string{"entry → a → b → runtime.newobject"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := forbidden(calls, "d"); len(got) != 1 {
		t.Errorf("an indirect call: %q", got)
	}
}

// build links the program with that entry point, and returns its path.
func build(t *testing.T, entry string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sole")
	args := []string{"build", "-o", out}
	if entry != "" {
		args = append(args, "-ldflags", "-E "+entry)
	}
	c := exec.Command("go", append(args, "github.com/sole-run/sole/cmd/sole")...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return out
}

var (
	textLine = regexp.MustCompile(`^TEXT (\S+)\(SB\)`)
	// A call or a jump to another function; within one the target is a number.
	toFunc = regexp.MustCompile(`\s(?:CALL|JMP|J[A-Z]+|BL|B|TB\w+|CB\w+) (?:.*, ?)?(\S+)\(SB\)\s*$`)
	// A call of what is in a register or in memory.
	indirect = regexp.MustCompile(`\s(?:CALL|BL)\s+(?:\(?R?[A-Z0-9]+\)?|0x[0-9a-f]+\(\w+\)|0\(\w+\))\s*$`)
	ownJump  = regexp.MustCompile(`\sJMP\s+\(?[A-Z][A-Z0-9]*\)?\s*$`)
)

// disassemble returns what each function calls; "*" stands for what is not known.
func disassemble(t *testing.T, binary string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "tool", "objdump", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][]string{}
	var in string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := strings.TrimRight(lines.Text(), " \t")
		if m := textLine.FindStringSubmatch(line); m != nil {
			in = m[1]
			calls[in] = nil
			continue
		}
		if m := toFunc.FindStringSubmatch(line); m != nil {
			if m[1] != in && !slices.Contains(calls[in], m[1]) {
				calls[in] = append(calls[in], m[1])
			}
			continue
		}
		if indirect.MatchString(line) || ownJump.MatchString(line) {
			calls[in] = append(calls[in], "*")
		}
	}
	if len(calls) < 1000 {
		t.Fatalf("only %d functions found", len(calls))
	}
	return calls
}

// forbidden returns the ways from the function that lead into the runtime, the shortest
// to each place.
func forbidden(calls map[string][]string, from string) []string {
	var found []string
	way := map[string]string{from: from}
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for _, to := range calls[at] {
			if _, seen := way[to]; seen || allowed.MatchString(to) || to == "_rt0_amd64_linux" || to == "_rt0_arm64_linux" {
				continue
			}
			if to == "*" {
				found = append(found, way[at]+" → an indirect call")
				continue
			}
			way[to] = way[at] + " → " + to
			if strings.HasPrefix(to, "runtime.") {
				found = append(found, way[to])
				continue
			}
			todo = append(todo, to)
		}
	}
	return found
}
