package control

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// editor is the server that docs/control.md talks to.
func editor() Config {
	var files []string
	return Config{
		Greeting: Greeting{Name: "editor", PID: 812, Run: 41},
		Commands: map[string]func(context.Context, Peer, []string) (string, error){
			"status": func(context.Context, Peer, []string) (string, error) { return `{"name":"editor","run":41}`, nil },
		},
		Call: func(_ context.Context, c *Call) (int, error) {
			switch c.Words[0] {
			case "open":
				files = append(files, c.Words[1:]...)
			case "list":
				fmt.Fprintln(c.Stdout, strings.Join(files, "\n"))
			case "save":
				b, err := io.ReadAll(c.Stdin)
				fmt.Fprintf(c.Stdout, "save %q in %s: %d bytes of input\n", c.Words[1], c.Dir, len(b))
				return 0, err
			default:
				fmt.Fprintf(c.Stderr, "no such: %s\n", c.Words[0])
				return 2, nil
			}
			return 0, nil
		},
	}
}

// transcripts are the commands of a page and what they print.
func transcripts(page string) [][2]string {
	var all [][2]string
	for _, part := range strings.Split(page, "<!-- run -->\n```\n$ ")[1:] {
		text, _, _ := strings.Cut(part, "```\n")
		command, output, _ := strings.Cut(text, "\n")
		all = append(all, [2]string{command, output})
	}
	return all
}

func TestSocatSpeaksAsThePageSays(t *testing.T) {
	if _, err := exec.LookPath("socat"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("socat is missing: apt-get install socat")
		}
		t.Skip("socat is missing: apt-get install socat")
	}
	page, err := os.ReadFile("../../docs/control.md")
	must(t, err)
	all := transcripts(string(page))
	if len(all) < 3 {
		t.Fatalf("%d transcripts in the page", len(all))
	}
	for _, x := range all {
		addr := At(filepath.Join(t.TempDir(), "editor.sock"))
		s := serve(t, addr, editor())
		c := exec.CommandContext(soon(t), "sh", "-c", x[0])
		c.Dir, _ = addr.split()
		out, err := c.CombinedOutput()
		if err != nil || string(out) != x[1] {
			t.Errorf("$ %s\n%s\n%v; the page says:\n%s", x[0], out, err, x[1])
		}
		must(t, s.Close())
	}
}
