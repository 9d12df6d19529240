package crontab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is the choice with which the corpus is read: sole is in /usr/bin.
var sample = Choice{Sole: func(path string) string {
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "/usr/bin" {
			return "sole"
		}
	}
	return "/usr/bin/sole"
}}

func corpus(t testing.TB) map[string]string {
	files, err := filepath.Glob("testdata/*.cron")
	if err != nil || len(files) < 40 {
		t.Fatal("the corpus is gone: ", err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".cron")] = string(text)
	}
	return all
}

func read(name, text string) *Tab {
	return Parse(text, Options{System: strings.HasPrefix(name, "system-")})
}

// The corpus comes out as in the .want files, each of which was looked at. UPDATE=1 writes
// them anew.
func TestCorpus(t *testing.T) {
	for name, text := range corpus(t) {
		tab := read(name, text)
		tab.Apply(sample)
		got := tab.String() + "\n---- line, state, guard, name, remark\n"
		for _, l := range tab.Jobs() {
			got += fmt.Sprintf("%d\t%s\t%s\t%s\t%s\n", l.Number, l.State, l.Guard, l.Name, l.Remark)
		}
		file := filepath.Join("testdata", name+".want")
		if os.Getenv("UPDATE") == "1" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s", name, differs(string(want), got))
		}
	}
}

func differs(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %q\ngot  %q", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}
