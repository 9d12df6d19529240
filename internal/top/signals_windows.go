package top

import "syscall"

// There is nobody to send them to.
const (
	sigUSR1 = syscall.Signal(10)
	sigUSR2 = syscall.Signal(12)
	sigSTOP = syscall.Signal(19)
	sigCONT = syscall.Signal(18)
)
