//go:build !linux

package instance

import (
	"context"
	"errors"
)

// First is a program that is the first of its name. It is not supported on this system.
type First struct{}

// Start is not supported on this system.
func Start(context.Context, string, Handler, ...Option) (*First, error) {
	return nil, errors.ErrUnsupported
}

// Send is not supported on this system.
func Send(context.Context, string, []string, ...Option) (int, error) {
	return 0, errors.ErrUnsupported
}

// Name is not supported on this system.
func (*First) Name() string { return "" }

// Run is not supported on this system.
func (*First) Run() uint64 { return 0 }

// Done is not supported on this system.
func (*First) Done() <-chan struct{} { return nil }

// Cause is not supported on this system.
func (*First) Cause() error { return errors.ErrUnsupported }

// Stop is not supported on this system.
func (*First) Stop() {}

// Close is not supported on this system.
func (*First) Close() error { return errors.ErrUnsupported }
