package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNum is the number of a signal by its whole name, 0 if there is none.
func signalNum(word string) syscall.Signal { return unix.SignalNum(word) }
