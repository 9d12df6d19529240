//go:build linux

package torture

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
)

// lockedWitness detects another copy with a lock of its own, which the kernel frees
// when it is killed; its descriptor is closed before sole's.
const lockedWitness = `exec 9>"$W/here"
flock -n 9 || echo overlap >>"$W/violations"
echo $$ $SOLE_RUN >&4
exec 4>&-
read x
exit 7`

// truth is what is known for certain about the name at a moment, for a looker that
// runs all the time.
type truth struct {
	mu    sync.Mutex
	epoch int // changes whenever the rest does
	state sole.State
	// dead are the processes that have ended, by the last run that they can have been of:
	// the kernel gives their pids to others.
	dead map[int]uint64
}

func (tr *truth) set(state sole.State) {
	tr.mu.Lock()
	tr.epoch++
	tr.state = state
	tr.mu.Unlock()
}

// died says that the process, of that run, has ended and been seen to.
func (tr *truth) died(pid int, run uint64) {
	tr.mu.Lock()
	tr.dead[pid] = run
	tr.mu.Unlock()
}

// lives reports whether the process can be one of st.
func lives(dead map[int]uint64, pid int, st sole.Status) bool {
	run, ended := dead[pid]
	return !ended || st.Run > run
}

// watch looks until the returned function is called, which returns how often it
// did, and what was false.
func (tr *truth) watch(dir string) (stop func() (looks int, lies []string)) {
	over, done := make(chan struct{}), make(chan struct{})
	looks := 0
	var lies []string
	go func() {
		defer close(done)
		for ; ; looks++ {
			select {
			case <-over:
				return
			default:
			}
			tr.mu.Lock()
			epoch, state := tr.epoch, tr.state
			dead := maps.Clone(tr.dead)
			tr.mu.Unlock()
			st, err := sole.Inspect("n", sole.Dir(dir))
			tr.mu.Lock()
			same := epoch == tr.epoch
			tr.mu.Unlock()
			switch {
			case err != nil:
				lies = append(lies, err.Error())
			case same && state != "" && st.State != state:
				lies = append(lies, fmt.Sprintf("%s, but it was %s all the time: %+v", st.State, state, st))
			case st.State == sole.Held && !(lives(dead, st.PID, st) && lives(dead, st.ChildPID, st)):
				lies = append(lies, fmt.Sprintf("a dead process holds: %+v", st))
			}
		}
	}()
	return func() (int, []string) {
		close(over)
		<-done
		return looks, lies
	}
}

func TestKillSupervisorCommandOrBoth(t *testing.T) {
	needs(t, "flock")
	dir, w := t.TempDir(), t.TempDir()
	for range 2 { // load
		busy := exec.Command("/bin/sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { busy.Process.Kill(); busy.Wait() }()
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := killer{t: t, dir: dir, w: w, rng: rand.New(rand.NewPCG(seed, 1)),
		truth: truth{dead: map[int]uint64{}, state: sole.Free}, kinds: map[string]int{}}
	stop := k.truth.watch(dir)
	rounds := repeat(t, 40, 1500, func(i int) { k.round(i) })
	looks, lies := stop()
	for _, l := range lies[:min(len(lies), 10)] {
		t.Error(l)
	}
	if v := lines(w + "/violations"); len(v) > 0 {
		t.Errorf("%d overlaps", len(v))
	}
	t.Logf("%d rounds %v, %d looks beside them, %d of them false", rounds, k.kinds, looks, len(lies))
}

type killer struct {
	t      *testing.T
	dir, w string
	rng    *rand.Rand
	truth  truth
	last   uint64
	kinds  map[string]int
}

func (k *killer) round(i int) {
	t := k.t
	readyR, readyW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer readyR.Close()
	holdR, holdW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer holdW.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c := soleCmd(k.dir, "run", "n", "--", "/bin/sh", "-c", lockedWitness)
	c.Env = append(c.Env, "W="+k.w)
	c.Stdin, c.ExtraFiles = holdR, []*os.File{null, readyW}
	k.truth.set("")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	readyW.Close()
	holdR.Close()
	line, err := bufio.NewReader(readyR).ReadString('\n')
	if err != nil {
		t.Fatalf("round %d: the next start did not get in: %v", i, ended(c.Wait()))
	}
	var child int
	var run uint64
	fmt.Sscan(line, &child, &run)
	k.truth.set(sole.Held)
	if run <= k.last {
		t.Errorf("round %d: run %d follows run %d", i, run, k.last)
	}
	k.last = run
	// The command waits for holdW, so its pid is still its own.
	pidfd, err := unix.PidfdOpen(child, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	super, said := c.Process.Pid, 0
	if k.rng.IntN(2) == 0 { // otherwise kill before the supervisor has written the command down
		st := status(t, k.dir, "n")
		if st.State != sole.Held || st.PID != super || st.Orphaned || st.Run != run || st.ChildPID != 0 && st.ChildPID != child {
			t.Errorf("round %d: status of a run by %d of %d: %+v", i, super, child, st)
		}
		said = st.ChildPID
	}
	killChild := func() { _ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0) }
	killSuper := func() { _ = c.Process.Kill() }
	waitSuper := func() result { r := ended(c.Wait()); k.truth.died(super, run); return r }
	waitChild := func() { exited(t, pidfd); k.truth.died(child, run) }

	kind := []string{"supervisor", "command", "both", "both, command first", "none"}[k.rng.IntN(5)]
	k.kinds[kind]++
	switch kind {
	case "supervisor":
		killSuper()
		waitSuper()
		st := status(t, k.dir, "n")
		if st.State != sole.Held || !st.Orphaned || st.PID != 0 || st.ChildPID != child {
			t.Errorf("round %d: status of the orphaned command %d (of %d, said %d): %+v", i, child, super, said, st)
		}
		if r := runSole(t, k.dir, "run", "n", "--", "/bin/sh", "-c", "echo ran"); r.code != 75 || r.stdout != "" {
			t.Errorf("round %d: a start beside an orphaned command: exit %d, %q, %q", i, r.code, r.stdout, r.stderr)
		} else if !strings.Contains(r.stderr, strconv.Itoa(child)) {
			t.Errorf("round %d: the skip does not name the command %d: %s", i, child, r.stderr)
		}
		k.truth.set("")
		killChild()
		waitChild()
	case "command":
		k.truth.set("")
		killChild()
		if r := waitSuper(); r.code != -1 || !strings.Contains(r.signal, "killed") {
			t.Errorf("round %d: the command was killed, the supervisor ends with %+v", i, r)
		}
		waitChild()
	case "both":
		k.truth.set("")
		killSuper()
		killChild()
		waitSuper()
		waitChild()
	case "both, command first":
		k.truth.set("")
		killChild()
		killSuper()
		waitSuper()
		waitChild()
	case "none":
		k.truth.set("")
		holdW.Close()
		if r := waitSuper(); r.code != 7 {
			t.Errorf("round %d: exit %d of a command that exits with 7", i, r.code)
		}
		waitChild()
	}
	k.truth.set(sole.Free)
	if st := status(t, k.dir, "n"); st.State != sole.Free {
		t.Errorf("round %d (%s): everybody is dead: %+v", i, kind, st)
	}
	if _, _, err := decode(filepath.Join(k.dir, "n.lock")); err != nil {
		t.Errorf("round %d (%s): the record: %v", i, kind, err)
	}
}
