package main

import (
	"fmt"
	"os"
)

// helperWord, as the first argument, makes this program one of its own helpers.
const helperWord = "bench-helper"

func helper(args []string) {
	var err error
	switch {
	case len(args) == 3 && args[0] == "wait":
		err = waiter(args[1], args[2])
	case len(args) == 4 && args[0] == "hold":
		err = holdNames(args[1], args[2], args[3])
	default:
		err = fmt.Errorf("unknown helper %q", args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench helper:", err)
		os.Exit(1)
	}
}
