package sole_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suggestions are those of the post and its readers: docs/methods.md has a row for each.
var suggestions = []string{
	"check-then-write race", "O_CREAT\\|O_EXCL with mode ≤ 0644", "process name beside the pid", "EPERM",
	"own pid in the file", "cleanup at exit", "flock on the script", "lock on another base than a pid",
	"domain socket by connect", "domain socket by handshake", "domain socket with life-cycle commands",
	"abstract socket", "path walk", "safe place", "closing what is opened", "EWOULDBLOCK against EAGAIN",
}

func TestMethodsPage(t *testing.T) {
	page, err := os.ReadFile("docs/methods.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range pageFaults(string(page)) {
		t.Error(fault)
	}
}

// A check that cannot fail is none.
func TestMethodsPageNoticesFaults(t *testing.T) {
	page, err := os.ReadFile("docs/methods.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"| EPERM |", "| ENOENT |"},
		{"TestAbstractSquatter,", "TestNobodyWrote,"},
		{"`test/cli` TestQueueDirectory", "`internal/flock` TestQueueDirectory"},
		{"`test/cli` TestQueueDirectory", ""},
		{"a process that may not be signalled is alive", " "},
	} {
		if bad := strings.Replace(string(page), change[0], change[1], 1); len(pageFaults(bad)) != 1 {
			t.Errorf("%q for %q: %q", change[1], change[0], pageFaults(bad))
		}
	}
}

// pageFaults finds suggestions without a row, and rows without a way or a test that is there.
func pageFaults(page string) []string {
	var found []string
	_, table, _ := strings.Cut(page, "\n## Each suggestion\n")
	rows := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), " | ")
		if len(cells) == 3 && strings.HasPrefix(line, "| ") {
			rows[strings.ReplaceAll(cells[0][2:], "\x00", `\|`)] = cells[1:]
		}
	}
	for _, s := range suggestions {
		row := rows[s]
		switch {
		case row == nil:
			found = append(found, "there is no row for "+s)
		case strings.TrimSpace(row[0]) == "":
			found = append(found, s+" has no way")
		default:
			found = append(found, testFaults(s, strings.TrimSuffix(row[1], "|"))...)
		}
	}
	return found
}

// testFaults checks a list like "`dir` TestA, TestB; `dir` TestC".
func testFaults(suggestion, list string) []string {
	var found []string
	tests := 0
	for part := range strings.SplitSeq(list, ";") {
		dir, names, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(part), "`"), "` ")
		for name := range strings.SplitSeq(names, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			tests++
			if !isTest(dir, name) {
				found = append(found, suggestion+": there is no "+name+" in "+dir)
			}
		}
	}
	if tests == 0 {
		found = append(found, suggestion+" has no test")
	}
	return found
}

func isTest(dir, name string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), "\nfunc "+name+"(") {
			return strings.HasPrefix(name, "Test")
		}
	}
	return false
}
