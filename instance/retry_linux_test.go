package instance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sole-run/sole"
)

// A message that was not begun is sent again, with all of its input; one that was is not.
func TestMessageThatWasNotTakenIsSentAgain(t *testing.T) {
	for name, x := range map[string]struct {
		answers []string // of the first, to one connection after the other
		lost    bool
	}{
		"gone":     {answers: []string{"", "begin\nexit 5\n"}},
		"busy":     {answers: []string{"error busy x\n", "begin\nexit 5\n"}},
		"stopping": {answers: []string{"error stopping x\n", "", "begin\nexit 5\n"}},
		"begun":    {answers: []string{"begin\n", "begin\nexit 5\n"}, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			lock, err := sole.TryAcquire("n", sole.Dir(dir))
			must(t, err)
			defer lock.Release()
			inputs := answer(t, filepath.Join(dir, "n.sock"), x.answers)
			code, err := Send(soon(t), "n", []string{"x"}, Dir(dir), Stdin(strings.NewReader("all of it")))
			var lost *LostError
			if x.lost != errors.As(err, &lost) || !x.lost && (code != 5 || err != nil) {
				t.Fatalf("%d, %v", code, err)
			}
			if !x.lost {
				if got := <-inputs; got != "all of it" {
					t.Errorf("the input was %q", got)
				}
			}
		})
	}
}

// answer is a first that gives these answers, and tells what input it got with the last.
func answer(t *testing.T, path string, answers []string) <-chan string {
	l, err := net.Listen("unix", path)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	inputs := make(chan string, 1)
	go func() {
		for i, a := range answers {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "sole-control 1 n 812 41 call\n")
			r := bufio.NewReader(c)
			for line := ""; line != "go in\n" && err == nil; {
				line, err = r.ReadString('\n')
			}
			begin, rest, _ := strings.Cut(a, "\n")
			if begin != "" {
				fmt.Fprintln(c, begin)
			}
			if i == len(answers)-1 {
				inputs <- readInput(r)
			}
			_, _ = io.WriteString(c, rest)
			_ = c.Close()
		}
	}()
	return inputs
}

// readInput reads the frames of an input.
func readInput(r *bufio.Reader) string {
	var b bytes.Buffer
	for {
		line, err := r.ReadString('\n')
		var n int64
		if err != nil || line == "eof\n" {
			return b.String()
		}
		_, _ = fmt.Sscanf(line, "in %d\n", &n)
		_, _ = io.CopyN(&b, r, n)
		_, _ = r.ReadByte()
	}
}
