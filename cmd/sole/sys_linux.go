package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalName is the whole name of a signal, "" if it has none.
func signalName(sig syscall.Signal) string { return unix.SignalName(sig) }

// signalNum is the number of a signal by its whole name, 0 if there is none.
func signalNum(word string) syscall.Signal { return unix.SignalNum(word) }
