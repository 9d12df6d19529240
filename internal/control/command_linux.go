package control

import (
	"context"
	"fmt"
	"strings"
)

type commandFunc = func(ctx context.Context, peer Peer, words []string) (string, error)

// command answers with one line. It reports whether the session goes on.
func (c *session) command(f commandFunc, words []string) bool {
	if !c.begin() {
		return false
	}
	line, err := c.guarded(f, words)
	switch {
	case err != nil:
		return c.send(asError(err))
	case strings.HasPrefix(line, "{"):
		// JSON has no newline in it unless it is indented, where blanks mean the same.
		return c.send([]byte(strings.ReplaceAll(line, "\n", " ") + "\n"))
	case line == "":
		return c.send([]byte("ok\n"))
	}
	return c.send([]byte("ok " + oneLine(line) + "\n"))
}

// guarded runs f so that its panic is an error.
func (c *session) guarded(f commandFunc, words []string) (line string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &RemoteError{Panicked, fmt.Sprint(r)}
		}
	}()
	return f(c.s.ctx, c.peer, words)
}
