package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// undoList is what must be undone however the run ends: children and directories.
type undoList struct {
	mu   sync.Mutex
	todo []func()
}

func (u *undoList) add(f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.todo = append(u.todo, f)
}

// run undoes the newest first, since children use the directories.
func (u *undoList) run() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := len(u.todo) - 1; i >= 0; i-- {
		u.todo[i]()
	}
	u.todo = nil
}

func (u *undoList) onSignal() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-c
		u.run()
		os.Exit(130)
	}()
}
