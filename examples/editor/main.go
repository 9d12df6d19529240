// Command editor shows a program of one instance: an editor of which the first start
// opens files, and later starts tell it to open more.
//
//	editor open FILE…   the first start stays; later ones add their files to its list
//	editor list         prints the list
//	editor insert       adds standard input to the text
//	editor quit         ends the first
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/sole-run/sole/instance"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	os.Exit(run(ctx))
}

func run(ctx context.Context) int {
	e := &editor{started: make(chan struct{})}
	opts := []instance.Option{instance.Output(os.Stdout, os.Stderr)}
	if len(os.Args) > 1 && os.Args[1] == "insert" {
		opts = append(opts, instance.Stdin(os.Stdin))
	}
	first, err := instance.Start(ctx, "example-editor", e.handle, opts...)
	var answered *instance.AnsweredError
	if errors.As(err, &answered) {
		return answered.Code
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "editor:", err)
		return 1
	}
	defer first.Close()
	e.first = first
	close(e.started)

	// The first start's own words are handled as those of the others.
	if err := e.handle(ctx, instance.Own(opts...)); err != nil {
		fmt.Fprintln(os.Stderr, "editor:", err)
		return 1
	}
	<-first.Done()
	return 0
}

// editor is what there may be only one of.
type editor struct {
	started chan struct{} // closed when first is set
	first   *instance.First

	mu    sync.Mutex
	files []string
	text  []byte
}

func (e *editor) handle(ctx context.Context, m *instance.Message) error {
	if len(m.Words) == 0 {
		return usage(m)
	}
	switch words := m.Words[1:]; m.Words[0] {
	case "open":
		return e.open(m, words)
	case "list":
		_, err := io.WriteString(m.Stdout, e.list())
		return err
	case "insert":
		return e.insert(m)
	case "quit":
		<-e.started
		e.first.Stop()
		return nil
	}
	return usage(m)
}

// list is a text, so that nobody has to wait while a slow sender reads it.
func (e *editor) list() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, f := range e.files {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

func (e *editor) open(m *instance.Message, files []string) error {
	e.mu.Lock()
	for _, f := range files {
		if !filepath.IsAbs(f) {
			f = filepath.Join(m.Dir, f) // the sender's directory, not the editor's
		}
		e.files = append(e.files, f)
	}
	e.mu.Unlock()
	_, err := fmt.Fprintf(m.Stdout, "open in pid %d\n", os.Getpid())
	return err
}

func (e *editor) insert(m *instance.Message) error {
	text, err := io.ReadAll(io.LimitReader(m.Stdin, 1<<20))
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.text = append(e.text, text...)
	n := len(e.text)
	e.mu.Unlock()
	_, err = fmt.Fprintf(m.Stdout, "%d bytes of text\n", n)
	return err
}

func usage(m *instance.Message) error {
	fmt.Fprintln(m.Stderr, "usage: editor open FILE… | list | insert | quit")
	return instance.ExitCode(2)
}
