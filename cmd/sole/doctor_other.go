//go:build !linux

package main

import (
	"context"
	"syscall"
)

func cancelBySignal(context.CancelFunc) func() syscall.Signal {
	return func() (_ syscall.Signal) { return 0 }
}
