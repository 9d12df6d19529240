package proc

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Here is the place that this process is in.
var Here = sync.OnceValues(func() (Place, error) {
	const boot = "/proc/sys/kernel/random/boot_id"
	fd, err := unix.Open(boot, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Place{}, &os.PathError{Op: "open", Path: boot, Err: err}
	}
	defer unix.Close(fd)
	var b BootID
	if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
		return Place{}, fmt.Errorf("read %s: %d bytes, %v", boot, n, err)
	}
	const ns = "/proc/self/ns/pid"
	var st unix.Stat_t
	if err := unix.Stat(ns, &st); err != nil {
		return Place{}, &os.PathError{Op: "stat", Path: ns, Err: err}
	}
	return Place{Boot: b, PIDs: st.Ino}, nil
})
