package name

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, good := range []string{"a", "0", "backup", "a.b_c-d@e:f+g", strings.Repeat("x", MaxLen)} {
		if err := Check(good); err != nil || !Valid(good) {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "a\x00", "é", "a~", strings.Repeat("x", MaxLen+1)} {
		if Check(bad) == nil || Valid(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestFromCommandKeepsWordsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, words := range [][]string{
		{"a", "b c"}, {"a", "b", "c"}, {"a b", "c"}, {"a", "b", "c", ""}, {"/bin/a", "b", "c"}, {"./-"}, {"é"}, {strings.Repeat("x", 500)},
	} {
		n := FromCommand(words)
		if err := Check(n); err != nil {
			t.Errorf("%q: %v", words, err)
		}
		if other, ok := seen[n]; ok {
			t.Errorf("%q and %q are both %s", words, other, n)
		}
		seen[n] = words
	}
	for _, file := range []string{"/bin/a", "a"} {
		n := FromFile(file)
		if other, ok := seen[n]; ok || Check(n) != nil || !strings.HasPrefix(n, "a-") || n == FromCommand([]string{file}) {
			t.Errorf("the file %q is %s, as %q", file, n, other)
		}
		seen[n] = []string{file}
	}
}
