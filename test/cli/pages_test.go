//go:build linux

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block is what stands between two fences of a page in docs, with what the comment before it says.
type block struct {
	page, lang, text string
	line             int
	// what is "run", "file", "cron", "same", or "" if there is no comment; arg is what follows it.
	what, arg string
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

var (
	fence   = regexp.MustCompile("^```([a-z]*)$")
	comment = regexp.MustCompile(`^<!-- (run|file|cron|same):? ?(.*) -->$`)
)

// blocks are those of the pages, in their order.
func blocks(t testing.TB, pages ...string) []block {
	t.Helper()
	var all []block
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		must(t, err)
		found, fault := blocksOf(page, string(text))
		if fault != "" {
			t.Fatal(fault)
		}
		all = append(all, found...)
	}
	return all
}

// blocksOf takes a page apart. It fails if a fence is left open, or a comment has no block.
func blocksOf(page, text string) (all []block, fault string) {
	var open *block
	what, arg := "", ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && line == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case m != nil:
			open = &block{page: page, lang: m[1], line: i + 2, what: what, arg: arg}
			what, arg = "", ""
		case what != "":
			return nil, fmt.Sprintf("%s:%d: no block follows the comment", page, i+1)
		default:
			if c := comment.FindStringSubmatch(line); c != nil {
				what, arg = c[1], c[2]
			}
		}
	}
	if open != nil {
		return nil, fmt.Sprintf("%s:%d: the block has no end", page, open.line)
	}
	return all, ""
}

// recipePages have recipes, of which none may be untested.
var recipePages = []string{"cookbook.md", "history.md", "migrating.md", "notify.md"}

// Each block of a recipe page has a test: by its comment, or by its language.
func TestEachRecipeIsTested(t *testing.T) {
	names := map[string]string{}
	for _, b := range blocks(t, recipePages...) {
		if fault := b.untested(); fault != "" {
			t.Errorf("%s: %s", &b, fault)
		}
		if b.what == "run" {
			if first := names[b.arg]; first != "" {
				t.Errorf("%s: %s is at %s already", &b, b.arg, first)
			}
			names[b.arg] = b.String()
		}
	}
	for name := range recipes {
		if names[name] == "" {
			t.Errorf("no page has the recipe %s", name)
		}
	}
}

// untested says what keeps the block from being tested.
func (b *block) untested() string {
	switch b.what + " " + b.lang {
	case "run sh", "run python":
		if recipes[b.arg] == nil {
			return "nothing tests the recipe " + b.arg
		}
	case "file sh", "file python":
		if !strings.HasPrefix(b.arg, bins) {
			return "it is no file of " + bins
		}
	case "same ini", "cron crontab", " yaml", " json":
	default:
		return fmt.Sprintf("nothing tests a block of %q with the comment %q", b.lang, b.what)
	}
	return ""
}

func TestEachRecipeIsTestedControl(t *testing.T) {
	for text, want := range map[string]string{
		"```sh\ntrue\n```\n":                             "nothing tests a block",
		"<!-- run: nonesuch -->\n```sh\ntrue\n```\n":     "nothing tests the recipe nonesuch",
		"<!-- file: /etc/passwd -->\n```sh\ntrue\n```\n": "it is no file of",
		"<!-- run: ntfy -->\n```perl\n1\n```\n":          "nothing tests a block",
		"<!-- run: ntfy -->\n\n```sh\ntrue\n```\n":       "no block follows",
		"<!-- run: ntfy -->\n```sh\ntrue\n":              "has no end",
	} {
		found, fault := blocksOf("page", text)
		if fault == "" {
			fault = found[0].untested()
		}
		if !strings.Contains(fault, want) {
			t.Errorf("%q: %q", text, fault)
		}
	}
}
