package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// spawner starts programs with as little around them as Go allows: one vfork-like
// clone and one wait4, no goroutine, no pipe.
type spawner struct {
	env   []string
	files []uintptr
}

func (b *bench) newSpawner(soleDir string) (*spawner, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	b.undo.add(func() { _ = null.Close() })
	return &spawner{
		env:   []string{"PATH=/usr/bin:/bin", "HOME=/", "SOLE_DIR=" + soleDir},
		files: []uintptr{null.Fd(), null.Fd(), null.Fd()},
	}, nil
}

// start starts argv, whose first word is an absolute path.
func (s *spawner) start(argv []string) (int, error) {
	return syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: s.env, Files: s.files})
}

// side makes a contender of a command that must exit with code want.
func (s *spawner) side(name string, want int, argv ...string) *side {
	return &side{name: name, once: func() (time.Duration, error) {
		begin := time.Now()
		pid, err := s.start(argv)
		if err != nil {
			return 0, err
		}
		ws, err := await(pid)
		took := time.Since(begin)
		if err == nil && (!ws.Exited() || ws.ExitStatus() != want) {
			err = fmt.Errorf("ended with %#x, not exit code %d", int(ws), want)
		}
		return took, err
	}}
}

func await(pid int) (ws syscall.WaitStatus, err error) {
	for {
		if _, err = syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			return ws, err
		}
	}
}
