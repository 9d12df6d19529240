//go:build linux

package torture

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// past is what a history says, as people and programs get to see it.
type past struct {
	Run     uint64
	Outcome string
}

func pastOf(t *testing.T, dir, name string) (all []past) {
	t.Helper()
	r := runSole(t, dir, "history", "-n", "0", "--json", name)
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || r.code != 0 {
		t.Fatalf("history: exit %d, %v, %s", r.code, err, r.stderr)
	}
	return all
}

// complete fails unless each run up to the last one has one record. Those that did not begin may have none: in
// a seat the number is taken first.
func complete(t *testing.T, at string, all []past, last uint64, began func(run uint64) bool) {
	t.Helper()
	seen := make([]int, last+1)
	for _, p := range all {
		switch {
		case p.Outcome == "skipped":
		case p.Run == 0 || p.Run > last:
			t.Errorf("%s: a record of run %d, the last was %d", at, p.Run, last)
		default:
			seen[p.Run]++
		}
	}
	for run, n := range seen[1:] {
		if n != 1 && (n > 1 || began(uint64(run+1))) {
			t.Errorf("%s: run %d has %d records", at, run+1, n)
		}
	}
}

// TestKilledRunIsRememberedOnce kills a run at each of its system calls. Whoever comes next, a start of
// either kind, a look or a clean, makes the history complete.
func TestKilledRunIsRememberedOnce(t *testing.T) {
	needs(t, "strace")
	early := []string{"run", "n", "--", "/bin/true"}
	ordinary := []string{"run", "--max-time", "1h", "n", "--", "/bin/true"}
	kinds := map[string][]string{"early": early, "ordinary": ordinary, "exec": {"run", "--exec", "n", "--", "/bin/true"}}
	if full() {
		kinds["slot"] = []string{"run", "--slots", "2", "n", "--", "/bin/sh", "-c", "echo $SOLE_RUN >>$SOLE_DIR/witness"}
		kinds["replacing"] = []string{"run", "--replace", "n", "--", "/bin/true"}
	}
	for kind, argv := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			verify(t, dir, "n") // so that it has run before
			names := syscallsOf(t, dir, append([]string{soleBin}, argv...)...)
			most := 400
			if !full() {
				most = 8
				short := strings.Fields("flock pwrite64 write ftruncate fcntl wait4 rt_sigtimedwait clone3 clone vfork execve waitid ppoll")
				names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(short, n) })
			}
			kills := 0
			for _, sys := range names {
				for n := 1; n <= most && !t.Failed(); n++ {
					at := fmt.Sprintf("killed at %s %d", sys, n)
					r := straced(t, dir, sys, fmt.Sprintf("%s:signal=SIGKILL:when=%d", sys, n), append([]string{soleBin}, argv...)...)
					kills++
					switch n % 4 {
					case 0:
						runSole(t, dir, ordinary...)
					case 1:
						runSole(t, dir, early...)
					case 2:
						runSole(t, dir, "clean")
					}
					// The command of a killed supervisor may go on for a moment.
					deadline := time.Now().Add(stuck)
					for runSole(t, dir, "status", "-q", "n").code != 3 && time.Now().Before(deadline) {
					}
					all := pastOf(t, dir, "n")
					last := verify(t, dir, "n")
					complete(t, at, all, last-1, func(run uint64) bool {
						return kind != "slot" || slices.Contains(lines(dir+"/witness"), fmt.Sprint(run))
					})
					if r.code == 0 {
						break
					}
				}
			}
			t.Logf("%d kills over %d system calls", kills, len(names))
			if kills < 2*len(names) {
				t.Error("the injection does not work")
			}
		})
	}
}

// TestKilledSkipIsRememberedOnce kills a skip at each of its system calls: it has one record or none, and the
// run that was in its way has its own.
func TestKilledSkipIsRememberedOnce(t *testing.T) {
	needs(t, "strace")
	for kind, argv := range map[string][]string{"early": {"run", "n", "--", "/bin/true"}, "ordinary": {"run", "--max-time", "1h", "n", "--", "/bin/true"}} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			last := verify(t, dir, "n") + 1
			out, in := pipe(t)
			holder := soleCmd(dir, "run", "n", "--", "/bin/sh", "-c", "read x")
			holder.Stdin = out
			if err := holder.Start(); err != nil {
				t.Fatal(err)
			}
			deadline := time.Now().Add(stuck)
			for runSole(t, dir, "status", "-q", "n").code != 0 && time.Now().Before(deadline) {
			}
			skips := 0
			for _, sys := range strings.Fields("write flock fcntl lseek fstat pread64 openat exit_group uname") {
				for n := 1; n <= 20; n++ {
					r := straced(t, dir, sys, fmt.Sprintf("%s:signal=SIGKILL:when=%d", sys, n), append([]string{soleBin}, argv...)...)
					all := pastOf(t, dir, "n")
					now := len(all) - int(last-1)
					if now < skips || now > skips+1 || r.code == 75 && now != skips+1 {
						t.Errorf("killed at %s %d, exit %d: %d skips after %d", sys, n, r.code, now, skips)
					}
					skips = now
					if r.code == 75 {
						break
					}
				}
			}
			in.Close()
			if r := ended(holder.Wait()); r.code != 1 {
				t.Errorf("the holder: %+v", r)
			}
			complete(t, "at the end", pastOf(t, dir, "n"), last, func(uint64) bool { return true })
		})
	}
}
