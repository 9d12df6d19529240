// Command bench prints the figures of DESIGN.md, each measured side by side with
// its peer in one run. It has a go.mod of its own so that the peers' libraries do
// not become dependencies of sole.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == helperWord {
		helper(os.Args[2:])
		return
	}
	bin := flag.String("sole", "", "the built sole `binary` (default: sole in PATH)")
	total := flag.Duration("duration", time.Minute, "total budget; 8s is the short form")
	flag.Parse()
	if flag.NArg() > 0 || *total <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	b, err := newBench(*bin, *total)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	// A collection in the middle of a sample would be charged to one side.
	debug.SetGCPercent(400)
	ok := b.all()
	b.clean()
	if !ok {
		os.Exit(1)
	}
}
