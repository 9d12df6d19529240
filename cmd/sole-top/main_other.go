//go:build !linux

// Command sole-top is the live screen of `sole top`. It runs on Linux only.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "sole: top:", errors.ErrUnsupported)
	os.Exit(71)
}
