package main

import "golang.org/x/sys/unix"

// stamp reads the clock that all processes share.
func stamp() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return ts.Nano()
}
