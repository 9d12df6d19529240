// The least a Go program can do to run a command under a lock: open, flock, spawn,
// wait. What sole takes longer than this is its own; what this takes longer than
// flock(1) is the Go runtime's.
package main

import (
	"os"
	"syscall"
)

func main() {
	fd, err := syscall.Open(os.Args[1], syscall.O_RDONLY|syscall.O_CREAT|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		os.Exit(66)
	}
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		os.Exit(1)
	}
	pid, err := syscall.ForkExec(os.Args[2], os.Args[2:], &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		os.Exit(127)
	}
	var ws syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			break
		}
	}
	os.Exit(ws.ExitStatus())
}
