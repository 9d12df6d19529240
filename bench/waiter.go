package main

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/sole-run/sole"
)

// taker takes what is waited for and returns how to release it.
type taker func() (release func() error, err error)

// kinds are the ways to wait: for a name through the library (endless: with a context
// that cannot end, as sole run --wait does), for a file by blocking flock(2), and for a
// name by the bare system calls of the protocol.
var kinds = []string{"sole", "flock", "endless", "bare"}

// takerOf is the way to wait of the kind, for a name or file of its own below dir.
func takerOf(kind, dir string) taker {
	path := filepath.Join(dir, kind)
	if kind == "sole" || kind == "endless" {
		return func() (func() error, error) {
			ctx := context.Background()
			// A wait that can be cancelled takes a thread of its own: the dearer case.
			if kind == "sole" {
				c, cancel := context.WithCancel(ctx)
				defer cancel()
				ctx = c
			}
			l, err := sole.Acquire(ctx, "n", sole.Dir(path))
			if err != nil {
				return nil, err
			}
			return l.Release, nil
		}
	}
	if kind == "bare" {
		b, err := newBare(path, true)
		return func() (func() error, error) {
			if err != nil {
				return nil, err
			}
			return b.wait()
		}
	}
	return func() (func() error, error) {
		fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, err
		}
		for {
			if err = syscall.Flock(fd, syscall.LOCK_EX); err != syscall.EINTR {
				break
			}
		}
		return func() error { return syscall.Close(fd) }, err
	}
}

// turnSize is what a waiter writes of one turn: its number, when it had the lock,
// and when it began to release it. Less than PIPE_BUF, so it is written whole.
const turnSize = 24

// waiter waits once for each byte of standard input, which says of which kind, and
// leaves when that ends, so that it cannot outlive whoever started it.
func waiter(dir, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	var takers []taker
	for _, kind := range kinds {
		takers = append(takers, takerOf(kind, dir))
	}
	var in [1]byte
	var out [turnSize]byte
	for {
		if _, err := io.ReadFull(os.Stdin, in[:]); err != nil {
			return nil
		}
		release, err := takers[in[0]]()
		got := stamp()
		if err != nil {
			return err
		}
		released := stamp()
		if err := release(); err != nil {
			return err
		}
		binary.NativeEndian.PutUint64(out[0:], uint64(n))
		binary.NativeEndian.PutUint64(out[8:], uint64(got))
		binary.NativeEndian.PutUint64(out[16:], uint64(released))
		if _, err := os.Stdout.Write(out[:]); err != nil {
			return err
		}
	}
}
