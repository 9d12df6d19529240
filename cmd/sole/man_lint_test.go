package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Both formatters that people have read the pages without a complaint.
func TestManPagesAreClean(t *testing.T) {
	pages := glob(t, filepath.Join(manDir, "*.1"))
	for _, complaint := range lint(t, pages...) {
		t.Error(complaint)
	}
}

// The control: pages with faults.
func TestManPagesAreCleanNoticesFaults(t *testing.T) {
	for _, text := range []string{".Dd November 24, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd x\n.Sh DESCRIPTION\n.Zz x\n", "x\n"} {
		path := filepath.Join(t.TempDir(), "x.1")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if len(lint(t, path)) == 0 {
			t.Errorf("taken: %q", text)
		}
	}
}

func lint(t *testing.T, pages ...string) []string {
	t.Helper()
	var complaints []string
	for _, tool := range [][]string{
		{"mandoc", "-T", "lint", "-W", "style"},
		{"groff", "-ww", "-mandoc", "-T", "utf8", "-z"},
	} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		for _, page := range pages {
			out, err := exec.Command(tool[0], append(tool[1:], page)...).CombinedOutput()
			for line := range strings.Lines(string(out)) {
				// Whether other pages are installed here says nothing of these.
				if !strings.Contains(line, "referenced manual not found") && !strings.Contains(line, "outdated mandoc.db") {
					complaints = append(complaints, strings.TrimSpace(line))
				}
			}
			if err != nil && len(out) == 0 {
				complaints = append(complaints, page+": "+err.Error())
			}
		}
	}
	return complaints
}
