package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// inherited says why a lock on fd would not be the shell's: nobody opened it, or only
// for this command, so that the lock would end with it.
func inherited(fd, shell int) error {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		return notOpen(fd, "is not open")
	}
	if same, known := sameOpenFile(fd, shell); known && !same {
		return notOpen(fd, fmt.Sprintf("is open for this command alone: pid %d, which started it, would not have the lock", shell))
	}
	return nil
}

func notOpen(fd int, problem string) error {
	return &sole.DescriptorError{FD: fd, Problem: problem, Remedy: fmt.Sprintf(`open it before, for the whole script: exec %d<"$0"`, fd)}
}

// sameOpenFile reports whether fd is the same open file in this process and in another
// one (kcmp(2)). Where the kernel does not tell, it is not known.
func sameOpenFile(fd, pid int) (same, known bool) {
	const file = 0 // KCMP_FILE
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(unix.Getpid()), uintptr(pid), file, uintptr(fd), uintptr(fd), 0)
	switch errno {
	case 0:
		return order == 0, true
	case unix.EBADF:
		return false, true
	}
	return false, false
}
