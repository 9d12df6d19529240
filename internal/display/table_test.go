package display

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sample() *Table {
	t := &Table{Columns: []Column{{Head: "NAME", Least: 8}, {Head: "PID", Keep: 2, Right: true}, {Head: "USER", Keep: 1}, {Head: "COMMAND", Keep: 3, Least: 8}}}
	t.Add(Text("backup"), Text("812"), Text("日本"), Text("rsync -a /data /mnt"))
	t.Add(Text("a-rather-long-name"), Text("27132"), Text("e\u0301va"), Cell{Text: "true", Role: Good})
	t.Below("  note\n")
	return t
}

func TestTable(t *testing.T) {
	for width, want := range map[int]string{
		0: `
NAME                  PID  USER  COMMAND
backup                812  日本  rsync -a /data /mnt
a-rather-long-name  27132  éva   true
  note
`,
		40: `
NAME                 PID  USER  COMMAND
backup               812  日本  rsync -…
a-rather-long-na…  27132  éva   true
  note
`,
		30: `
NAME             PID  COMMAND
backup           812  rsync -…
a-rather-lon…  27132  true
  note
`,
		20: `
NAME        COMMAND
backup      rsync -…
a-rather-…  true
  note
`,
		9: `
NAME
backup
a-rather…
  note
`,
	} {
		got := "\n" + sample().Render(width, false)
		want = strings.ReplaceAll(want, "éva", "e\u0301va")
		if got != want {
			t.Errorf("width %d:%s\nwant%s", width, got, want)
		}
	}
}

func TestTableColours(t *testing.T) {
	got := sample().Render(0, true)
	if !strings.Contains(got, "\x1b[32mtrue\x1b[0m\n") || !strings.HasPrefix(got, "\x1b[1mNAME\x1b[0m   ") {
		t.Errorf("%q", got)
	}
}

// However wide the terminal, lines fit and columns begin in the same cell.
func TestTableFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := sample()
		word := rapid.StringOf(rapid.RuneFrom([]rune("ab日🚀\u0301")))
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			tab.Add(Text(word.Draw(t, "a")), Text("1"), Text(word.Draw(t, "b")), Text(word.Draw(t, "c")))
		}
		width := rapid.IntRange(8, 100).Draw(t, "width")
		for line := range strings.Lines(tab.Render(width, false)) {
			if w := Width(strings.TrimSuffix(line, "\n")); w > width {
				t.Fatalf("%d cells in %d: %q", w, width, line)
			}
		}
	})
}
