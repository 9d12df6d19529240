package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "parent":
		leaveOrphan()
		return
	case "orphan":
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent is gone
		fmt.Println(IsHelper())
		return
	}
	if IsHelper() {
		os.Exit(Help())
	}
	os.Exit(m.Run())
}

// expect checks a result: its state, and words that it has.
func expect(t *testing.T, about string, r Result, want Status, words ...string) {
	t.Helper()
	if r.Status != want {
		t.Errorf("%s: %s, not %s: %q", about, r.Status, want, r.Found)
	}
	if (r.Status == Failure) != (r.Cause != None) {
		t.Errorf("%s: %s because of %q", about, r.Status, r.Cause)
	}
	for _, w := range words {
		if !strings.Contains(r.Found+" do: "+r.Do, w) {
			t.Errorf("%s: %q is missing in %q, %q", about, w, r.Found, r.Do)
		}
	}
}
