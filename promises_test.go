package sole_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tests that docs/promises.md names are there, in the room that it names.
func TestPromisesHaveTheirTests(t *testing.T) {
	b, err := os.ReadFile("docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	named, missing := promised(t, string(b))
	for _, m := range missing {
		t.Error(m)
	}
	if named < 50 {
		t.Errorf("only %d tests are found to be named", named)
	}
}

// The control: a page that names what is not there.
func TestPromisesNoticesAMissingOne(t *testing.T) {
	const page = `
| a | TestPromisesHaveTheirTests |
| b | ` + "`test/cli` TestPromisesHaveTheirTests" + ` |
| c | ` + "`test/cli` TestQueue, TestNobodyHasWritten; nothing.txtar" + ` |
| d | ` + "`test/cli` (see there)" + ` |
`
	named, missing := promised(t, page)
	if named != 5 || len(missing) != 4 {
		t.Errorf("%d, %q", named, missing)
	}
}

// promised returns how many tests the page names, and what is wrong with it. A row is a promise
// and its tests; a directory in backquotes is that of those that follow it, up to a semicolon.
func promised(t *testing.T, page string) (named int, missing []string) {
	t.Helper()
	have := testsByDir(t)
	words := regexp.MustCompile("`([a-z0-9/-]+)`|\\b((?:Test|Fuzz)[A-Z]\\w*)|\\b([a-z]+\\.txtar)")
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[2]) == "test" {
			continue
		}
		inRow, dir := 0, "."
		for part := range strings.SplitSeq(cells[2], ";") {
			if !strings.Contains(part, "control:") {
				dir = "."
			}
			for _, m := range words.FindAllStringSubmatch(part, -1) {
				switch {
				case m[1] != "":
					dir = m[1]
					continue
				case m[2] != "" && !slices.Contains(have[dir], m[2]):
					missing = append(missing, dir+" has no "+m[2])
				case m[3] != "":
					if _, err := os.Stat(filepath.Join(dir, "testdata/script", m[3])); err != nil {
						missing = append(missing, err.Error())
					}
				}
				inRow++
			}
		}
		if named += inRow; inRow == 0 {
			missing = append(missing, "no test is named for"+cells[1])
		}
	}
	return named, missing
}

// testsByDir are the tests and fuzz targets of each directory.
func testsByDir(t *testing.T) map[string][]string {
	t.Helper()
	have := map[string][]string{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(b), -1) {
			have[filepath.Dir(path)] = append(have[filepath.Dir(path)], m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return have
}
