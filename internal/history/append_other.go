//go:build !linux

package history

import "os"

func openRegular(path string) (*os.File, error) { return os.Open(path) }
