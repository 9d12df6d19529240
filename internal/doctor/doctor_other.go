//go:build !linux

package doctor

import (
	"context"
	"errors"
)

// Examine needs Linux.
func Examine(context.Context, Options) ([]Result, error) { return nil, errors.ErrUnsupported }

// IsHelper needs Linux.
func IsHelper() bool { return false }

// Help needs Linux.
func Help() int { return 1 }
