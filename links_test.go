package sole_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Links of the pages lead to files that are there, and to headings that are in them.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%q, %v", pages, err)
	}
	links := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		n, broken := brokenLinks(page, string(text))
		links += n
		for _, b := range broken {
			t.Error(b)
		}
	}
	if links < 50 {
		t.Errorf("only %d links are found", links)
	}
}

func TestLinksControl(t *testing.T) {
	for _, target := range []string{"nonesuch.md", "cli.md#nonesuch", "#nonesuch"} {
		if _, broken := brokenLinks("docs/waiting.md", "# A\n[a]("+target+")"); len(broken) != 1 {
			t.Errorf("%s: %q", target, broken)
		}
	}
	if _, broken := brokenLinks("docs/waiting.md", "# A `b`, c: d\n[a](#a-b-c-d) [b](cli.md#run) [c](https://example.org)"); len(broken) != 0 {
		t.Error(broken)
	}
}

func brokenLinks(page, text string) (n int, broken []string) {
	text = fenced.ReplaceAllString(text, "")
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], ":") {
			continue
		}
		n++
		file, anchor, _ := strings.Cut(m[1], "#")
		there := text
		if file != "" {
			file = filepath.Join(filepath.Dir(page), file)
			if _, err := os.Stat(file); err != nil {
				broken = append(broken, fmt.Sprintf("%s: %v", page, err))
				continue
			}
			b, _ := os.ReadFile(file)
			there = fenced.ReplaceAllString(string(b), "")
		}
		if anchor != "" && !hasHeading(there, anchor) {
			broken = append(broken, fmt.Sprintf("%s: %s has no heading %s", page, file, anchor))
		}
	}
	return n, broken
}

// hasHeading reports whether a heading of the text has that anchor, as GitHub makes them.
func hasHeading(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}
