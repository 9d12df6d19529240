package main

import (
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// terminal is standard input as the terminal that it is, and how it was before.
type terminal struct {
	mu     sync.Mutex
	before unix.Termios
}

func openTerminal() (*terminal, error) {
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	return &terminal{before: *t}, nil
}

// raw makes keys come one by one, as they are. Bubble Tea would do so itself, but then it also asks
// the terminal what it can, and an answer that comes late would be typed into the shell. What is written
// is left as it is: a newline goes to the first column, as Bubble Tea expects without an input.
func (t *terminal) raw() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.before
	now.Iflag &^= unix.ICRNL | unix.INLCR | unix.IGNCR | unix.IXON | unix.ISTRIP | unix.BRKINT
	now.Lflag &^= unix.ICANON | unix.ECHO | unix.ECHONL | unix.ISIG | unix.IEXTEN
	now.Oflag |= unix.OPOST | unix.ONLCR
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(0, unix.TCSETSW, &now)
}

// restore makes the terminal what it was, and drops what was typed and not read: it was not meant for
// the shell.
func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = unix.IoctlSetTermios(0, unix.TCSETSF, &t.before)
}

func utf8Name(locale string) bool {
	l := strings.ToLower(locale)
	return strings.Contains(l, "utf-8") || strings.Contains(l, "utf8")
}
