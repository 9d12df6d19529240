package main

import (
	goflag "flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = goflag.Bool("update", false, "write the manual pages anew")

const manDir = "../../docs/man"

// The checked-in pages are those that the commands' tables and the prose give.
// `make man` writes them.
func TestManPages(t *testing.T) {
	pages, err := manPages(filepath.Join(manDir, "src"))
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		path := filepath.Join(manDir, name)
		old, _ := os.ReadFile(path) // a missing page differs
		if undated(string(old)) == undated(page) {
			continue
		}
		if !*update {
			t.Errorf("docs/man/%s is not what the tables of cmd/sole and docs/man/src give: run 'make man'", name)
			continue
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Error(err)
		}
	}
	for _, path := range glob(t, filepath.Join(manDir, "*.1")) {
		if _, ok := pages[filepath.Base(path)]; ok {
			continue
		}
		if !*update {
			t.Errorf("%s is no command's page: run 'make man'", path)
		} else if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// A new flag, a new command and a command that is gone are noticed.
func TestManPagesNoticeAChange(t *testing.T) {
	c := &command{name: "zzz", args: "[NAME] -o FILE", summary: "do nothing to NAME", about: "Does nothing, as 'sole zzz' does.\n\n  sole zzz x"}
	c.setup = func(f *flags) func([]string) int {
		var s string
		f.string(&s, "output", 'o', "FILE", "write to FILE; see flock(1), --dir and 'sole ls'")
		return nil
	}
	page, err := commandPage(c, &prose{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		".Dt SOLE-ZZZ 1\n", ".Nd do nothing to NAME\n", ".Op Ar NAME\n", ".Fl o Ar FILE\n",
		".It Fl o Ar FILE , Fl -output Ar FILE\nWrite to\n.Ar FILE ;\nsee\n.Xr flock 1 ,\n.Fl -dir\nand\n.Ql sole ls .\n",
		".Dl sole zzz x\n", ".Sh EXIT STATUS\n", ".Xr sole 1\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	for _, bad := range []string{".Sh OPTIONS\n.It Fl -no-such-flag\nText.\n", "Text.\n", ".Sh OPTIONS\nText.\n", ".Sh OPTIONS\n.It Fl -output\n"} {
		p, err := parseProse(bad)
		if err == nil {
			_, err = commandPage(c, p)
		}
		if err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

// manPages are all pages by the names of their files.
func manPages(src string) (map[string]string, error) {
	pages := map[string]string{}
	used := map[string]bool{}
	read := func(name string) (*prose, error) {
		path := filepath.Join(src, name+".mdoc")
		used[path] = true
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return &prose{}, nil
		}
		if err != nil {
			return nil, err
		}
		p, err := parseProse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return p, nil
	}
	overview, err := read("sole")
	if err != nil {
		return nil, err
	}
	pages["sole.1"] = overviewPage(overview)
	for _, c := range commands() {
		p, err := read(c.name)
		if err != nil {
			return nil, err
		}
		if pages["sole-"+c.name+".1"], err = commandPage(c, p); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	all, err := filepath.Glob(filepath.Join(src, "*"))
	for _, path := range all {
		if !used[path] {
			return nil, fmt.Errorf("%s belongs to no command", path)
		}
	}
	return pages, err
}

var dateLine = regexp.MustCompile(`(?m)^\.Dd .*\n`)

// undated is the page without its date, which is that of the last change.
func undated(page string) string { return dateLine.ReplaceAllString(page, "") }

func today() string { return time.Now().UTC().Format("January 2, 2006") }

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) == 0 {
		t.Fatalf("nothing is like %s: %v", pattern, err)
	}
	return all
}
