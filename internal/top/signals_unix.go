//go:build !windows

package top

import "syscall"

const (
	sigUSR1 = syscall.SIGUSR1
	sigUSR2 = syscall.SIGUSR2
	sigSTOP = syscall.SIGSTOP
	sigCONT = syscall.SIGCONT
)
