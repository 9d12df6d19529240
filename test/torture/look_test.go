//go:build linux

package torture

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/sole-run/sole"
)

// lookUntilEOF is what the test binary does as a looker: it looks until its standard
// input ends, and says how often it did.
func lookUntilEOF() int {
	dir, name := sole.Dir(os.Getenv("SOLE_DIR")), os.Getenv("TORTURE_LOOK")
	var over atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		over.Store(true)
	}()
	looks := 0
	for ; !over.Load(); looks++ {
		st, err := sole.Inspect(name, dir)
		if looks%8 == 7 {
			_, err = sole.List(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if st.State == sole.Held && st.PID == 0 && !st.Orphaned {
			fmt.Fprintf(os.Stderr, "held by nobody: %+v\n", st)
			return 1
		}
	}
	fmt.Println(looks)
	return 0
}

// beside runs a process until the returned function is called, which returns what
// it printed.
func beside(t *testing.T, c *exec.Cmd) (stop func() result) {
	t.Helper()
	r, w := pipe(t)
	c.Stdin = r
	done := make(chan result, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		out, err := c.Output()
		res := ended(err)
		res.stdout = string(out)
		if e, ok := err.(*exec.ExitError); ok {
			res.stderr = string(e.Stderr)
		}
		done <- res
	}()
	<-started
	return func() result {
		w.Close()
		return <-done
	}
}

func TestLookingNeverDisturbs(t *testing.T) {
	dir := t.TempDir()
	want := 300
	if full() {
		want = 10000
	}
	var stops []func() result
	for range 2 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "SOLE_DIR="+dir, "TORTURE_LOOK=n")
		stops = append(stops, beside(t, c))
	}
	cli := exec.Command("/bin/sh", "-c", `while :; do
"$SOLE" status n 3>&1 >/dev/null; s=$?; [ $s = 0 ] || [ $s = 3 ] || exit 9; "$SOLE" ls 3>&1 >/dev/null 2>&1 || exit 8; echo; done`)
	cli.Env = append(os.Environ(), "SOLE_DIR="+dir, "SOLE="+soleBin)
	cliStop := besideLoop(t, cli)
	// Those that read the history, and close the runs in it that left without a word.
	past := exec.Command("/bin/sh", "-c", `while :; do for what in "history n" "history --stats" "metrics" "report -o -"; do
"$SOLE" $what 3>&1 >/dev/null 2>&1 || exit 7; echo; done; done`)
	past.Env = cli.Env
	pastStop := besideLoop(t, past)

	var last uint64
	starts := repeat(t, 600, 4000, func(i int) {
		r := runSole(t, dir, "run", "n", "--", "/bin/sh", "-c", "echo $SOLE_RUN")
		if r.code != 0 {
			t.Fatalf("start %d on a free name: exit %d %s, %s", i, r.code, r.signal, r.stderr)
		}
		run, _ := strconv.ParseUint(r.stdout[:len(r.stdout)-1], 10, 64)
		if run <= last {
			t.Fatalf("run %d follows run %d", run, last)
		}
		last = run
	})
	cliLooks := cliStop() + pastStop()
	looks := 0
	for _, stop := range stops {
		r := stop()
		if r.code != 0 {
			t.Errorf("a looker: exit %d %s, %s", r.code, r.signal, r.stderr)
			continue
		}
		n := 0
		fmt.Sscan(r.stdout, &n)
		looks += n
	}
	if looks < want {
		t.Errorf("only %d looks", looks)
	}
	complete(t, "beside looks", pastOf(t, dir, "n"), last, func(uint64) bool { return true })
	t.Logf("%d starts beside %d looks in two processes and %d of the command line", starts, looks, cliLooks)
}

// besideLoop runs an endless shell loop until the returned function is called, which
// returns the number of lines that it printed. What the loop runs has the pipe as its
// descriptor 3, so that the end of the pipe is the end of all of it.
func besideLoop(t *testing.T, c *exec.Cmd) (stop func() int) {
	t.Helper()
	r, w := pipe(t)
	c.Stdout = w
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	n := make(chan int, 1)
	go func() {
		b, _ := io.ReadAll(r)
		count := 0
		for _, x := range b {
			if x == '\n' {
				count++
			}
		}
		n <- count
	}()
	stopped := false
	stop = func() int {
		if stopped {
			return 0
		}
		stopped = true
		_ = c.Process.Kill()
		if e := ended(c.Wait()); e.code >= 0 {
			t.Errorf("%v ended by itself: exit %d", c.Args, e.code)
		}
		return <-n
	}
	t.Cleanup(func() { stop() })
	return stop
}

// The doctor tries locks, but none of a name's.
func TestDoctorNeverDisturbs(t *testing.T) {
	dir := t.TempDir()
	var stops []func() int
	for range 2 {
		c := exec.Command("/bin/sh", "-c", `while :; do "$SOLE" doctor 3>&1 >/dev/null || exit 9; echo; done`)
		c.Env = append(os.Environ(), "SOLE_DIR="+dir, "SOLE="+soleBin)
		stops = append(stops, besideLoop(t, c))
	}
	var last uint64
	starts := repeat(t, 300, 4000, func(i int) {
		run := verify(t, dir, "n")
		if run <= last {
			t.Fatalf("run %d follows run %d", run, last)
		}
		last = run
	})
	visits := 0
	for _, stop := range stops {
		visits += stop()
	}
	if visits < 5 {
		t.Errorf("only %d visits", visits)
	}
	t.Logf("%d starts beside %d visits of the doctor", starts, visits)
}

func TestCleanBesideStarts(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command("/bin/sh", "-c", `while :; do "$SOLE" clean 3>&1 >/dev/null 2>&1 || exit 9; echo; done`)
	c.Env = append(os.Environ(), "SOLE_DIR="+dir, "SOLE="+soleBin)
	stop := besideLoop(t, c)
	var last uint64
	starts := repeat(t, 120, 2000, func(i int) {
		run := verify(t, dir, "n")
		if run <= last {
			t.Fatalf("run %d follows run %d", run, last)
		}
		last = run
	})
	t.Logf("%d starts beside %d cleans, last run %d", starts, stop(), last)
}
