//go:build linux && (amd64 || arm64)

package early

import "strings"

// Here the Go runtime runs again.

// Take returns what was taken under that name before the runtime started, once.
func Take(name string) (Held, bool) {
	if !now.held || name != now.ask.name {
		return Held{}, false
	}
	now.held = false
	closeFD(now.pastFD)
	return Held{
		Name:       name,
		Dir:        strings.Clone(str(now.path[:now.dirLen])),
		FD:         now.fd,
		Size:       now.seen.Size,
		Dev:        now.seen.Dev,
		Ino:        now.seen.Ino,
		Limit:      now.head.Limit,
		Remembered: now.remembered,
	}, true
}

// Ignored are the signals, as a mask, that the program was started with ignored, but for a
// program that is to [Adopt] a command.
func Ignored() uint64 { return now.started }

// Started reports whether the command runs already, and holds what was taken. Nothing
// else may be started then.
func Started() bool { return now.running }

// Adopt returns the command that was started before the runtime was, once.
func Adopt() (Running, bool) {
	if !now.running {
		return Running{}, false
	}
	now.running = false
	return Running{PID: now.pid, Mask: now.spawn.mask, Ignored: now.ignored, Stopped: now.stopped}, true
}
