//go:build !linux

package sole

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// Lock is a name that this process holds. It is not supported on this system.
type Lock struct{}

// TryAcquire is not supported on this system.
func TryAcquire(string, ...Option) (*Lock, error) { return nil, errors.ErrUnsupported }

// Acquire is not supported on this system.
func Acquire(context.Context, string, ...Option) (*Lock, error) { return nil, errors.ErrUnsupported }

// Name is not supported on this system.
func (*Lock) Name() string { return "" }

// Run is not supported on this system.
func (*Lock) Run() uint64 { return 0 }

// Started is not supported on this system.
func (*Lock) Started() (time.Time, time.Duration) { return time.Time{}, 0 }

// Usual is not supported on this system.
func (*Lock) Usual() (p50, p95 time.Duration) { return 0, 0 }

// Outcome is not supported on this system.
func (*Lock) Outcome() Outcome { return "" }

// Slot is not supported on this system.
func (*Lock) Slot() int { return 0 }

// Path is not supported on this system.
func (*Lock) Path() string { return "" }

// Squatted is not supported on this system.
func (*Lock) Squatted() error { return errors.ErrUnsupported }

// Socket is not supported on this system.
func (*Lock) Socket() string { return "" }

// File is not supported on this system.
func (*Lock) File() (*os.File, error) { return nil, errors.ErrUnsupported }

// Inherit is not supported on this system.
func (*Lock) Inherit() error { return errors.ErrUnsupported }

// SetChild is not supported on this system.
func (*Lock) SetChild(int) error { return errors.ErrUnsupported }

// ChildEnded is not supported on this system.
func (*Lock) ChildEnded() error { return errors.ErrUnsupported }

// ReleaseAs is not supported on this system.
func (*Lock) ReleaseAs(End) error { return errors.ErrUnsupported }

// Settle is not supported on this system.
func Settle(string, ...Option) error { return errors.ErrUnsupported }

// Release is not supported on this system.
func (*Lock) Release() error { return errors.ErrUnsupported }

// Changes is not supported on this system.
func (*Lock) Changes() (*os.File, error) { return nil, errors.ErrUnsupported }

// Check is not supported on this system.
func (*Lock) Check() error { return errors.ErrUnsupported }

func (*Lock) guard(context.CancelCauseFunc) (stop func()) { return func() {} }

// Inspect is not supported on this system.
func Inspect(string, ...Option) (Status, error) { return Status{}, errors.ErrUnsupported }

// List is not supported on this system.
func List(...Option) ([]Status, error) { return nil, errors.ErrUnsupported }

// Path is not supported on this system.
func Path(string, ...Option) (string, error) { return "", errors.ErrUnsupported }

// Clean is not supported on this system.
func Clean(...Option) ([]string, error) { return nil, errors.ErrUnsupported }

// Prepare is not supported on this system.
func Prepare(string, ...Option) (string, error) { return "", errors.ErrUnsupported }

// Resume is not supported on this system.
func Resume(string, ...Option) (*Lock, error) { return nil, errors.ErrUnsupported }

// TryLockDescriptor is not supported on this system.
func TryLockDescriptor(int, ...Option) error { return errors.ErrUnsupported }

// LockDescriptor is not supported on this system.
func LockDescriptor(context.Context, int, ...Option) error { return errors.ErrUnsupported }

// UnlockDescriptor is not supported on this system.
func UnlockDescriptor(int) error { return errors.ErrUnsupported }

// Wait is not supported on this system.
func Wait(context.Context, string, ...Option) error { return errors.ErrUnsupported }

// Signal is not supported on this system.
func Signal(string, syscall.Signal, ...Option) error { return errors.ErrUnsupported }

// Stop is not supported on this system.
func Stop(context.Context, string, time.Duration, ...Option) (bool, error) {
	return false, errors.ErrUnsupported
}
