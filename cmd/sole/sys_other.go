//go:build !linux

package main

import (
	"errors"
	"syscall"

	"github.com/sole-run/sole"
)

func (o *runFlags) supervise(lock *sole.Lock, _ string, _, _ []string) int {
	return fail(errors.ErrUnsupported)
}

func runScreen(string, []string) int { return fail(errors.ErrUnsupported) }

func become(*sole.Lock, string, []string, []string) int { return fail(errors.ErrUnsupported) }

func inherited(int, int) error { return errors.ErrUnsupported }

func dieBy(syscall.Signal)                {}
func defaultQuit()                        {}
func keepIgnored()                        {}
func isTerminal(int) bool                 { return false }
func terminalWidth() int                  { return 0 }
func mayExecute(string) bool              { return true }
func signalName(syscall.Signal) string    { return "" }
func signalNum(string) (_ syscall.Signal) { return 0 }
