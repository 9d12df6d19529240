//go:build linux

package torture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The command detects another copy of itself without sole's help, and stays until
// it is let go.
const witness = `mkdir "$W/here" 2>/dev/null || echo overlap >>"$W/violations"
echo $SOLE_RUN >>"$W/ran"
read x
rmdir "$W/here"`

// starter waits at the gate, descriptor 3, and becomes sole.
const starter = `read x <&3; exec 3<&-; exec "$SOLE" run n -- /bin/sh -c "$WITNESS"`

func TestStartersAtOnce64(t *testing.T) { starters(t, 64, 12, 200) }

func TestStartersAtOnce4(t *testing.T) { starters(t, 4, 120, 2000) }

func starters(t *testing.T, n, short, long int) {
	dir, w := t.TempDir(), t.TempDir()
	env := append(os.Environ(), "SOLE_DIR="+dir, "W="+w, "SOLE="+soleBin, "WITNESS="+witness)
	var last uint64
	rounds := repeat(t, short, long, func(i int) {
		if i%4 == 3 { // also on a name that never ran
			os.Remove(filepath.Join(dir, "n.lock"))
			last = 0
		}
		startersRound(t, n, env)
		if t.Failed() {
			return
		}
		if v := lines(w + "/violations"); len(v) > 0 {
			t.Fatalf("round %d: %d overlaps", i, len(v))
		}
		ran := lines(w + "/ran")
		os.Remove(w + "/ran")
		if len(ran) != 1 {
			t.Fatalf("round %d: %d commands ran: %v", i, len(ran), ran)
		}
		run, err := strconv.ParseUint(ran[0], 10, 64)
		if err != nil || run <= last {
			t.Fatalf("round %d: run %s after run %d", i, ran[0], last)
		}
		last = run
	})
	t.Logf("%d rounds of %d starters", rounds, n)
}

func startersRound(t *testing.T, n int, env []string) {
	gateR, gateW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gateW.Close()
	holdR, holdW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer holdW.Close()
	ends := make(chan result, n)
	var all []*exec.Cmd
	for range n {
		c := exec.Command("/bin/sh", "-c", starter)
		c.Env, c.Stdin, c.ExtraFiles = env, holdR, []*os.File{gateR}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		go func() { ends <- ended(c.Wait()) }()
	}
	gateR.Close()
	holdR.Close()
	gateW.Close() // everybody at once

	timer := time.NewTimer(stuck)
	defer timer.Stop()
	for done := range n {
		if done == n-1 {
			holdW.Close()
		}
		select {
		case r := <-ends:
			if want := 75; done < n-1 && r.code != want {
				t.Errorf("exit %d %s of a start that is not the one, after %d others", r.code, r.signal, done)
			}
			if done == n-1 && r.code != 0 {
				t.Errorf("the one start: exit %d %s", r.code, r.signal)
			}
			if t.Failed() {
				holdW.Close()
			}
		case <-timer.C:
			t.Errorf("%d of %d starters hang", n-done, n)
			for _, c := range all {
				c.Process.Kill()
			}
			return
		}
	}
}
