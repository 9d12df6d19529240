//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sole-run/sole"
)

// A trigger that came before a run began is seen by that run or a later one, also when it comes
// while a run ends and the next one begins: none is lost.
func TestQueueLosesNoTrigger(t *testing.T) {
	dir, w := t.TempDir(), t.TempDir()
	number := 0
	var mu sync.Mutex
	// trigger says what is new, and then starts a run.
	trigger := func() *exec.Cmd {
		mu.Lock()
		number++
		write(t, w+"/new", []byte(strconv.Itoa(number)+"\n"))
		if err := os.Rename(w+"/new", w+"/number"); err != nil {
			t.Error(err)
		}
		mu.Unlock()
		return soleCmd(dir, "run", "--queue", "-q", "-E", "0", "n", "--", "/bin/sh", "-c", `read n <"$0/number"; echo $n >>"$0/saw"; sleep $1`,
			w, fmt.Sprintf("%.4f", rand.Float64()/100))
	}
	rounds := repeat(t, 40, 1000, func(i int) {
		var all sync.WaitGroup
		for range 1 + rand.IntN(4) {
			all.Go(func() {
				for range 1 + rand.IntN(6) {
					c := trigger()
					if err := c.Start(); err != nil {
						t.Error(err)
						return
					}
					all.Go(func() {
						if r := ended(c.Wait()); r.code != 0 {
							t.Errorf("exit %d %s", r.code, r.signal)
						}
					})
					if rand.IntN(2) == 0 { // else at once
						time.Sleep(rand.N(12 * time.Millisecond)) // a run is about as long
					}
				}
			})
		}
		all.Wait()
		saw := lines(w + "/saw")
		if len(saw) == 0 || saw[len(saw)-1] != strconv.Itoa(number) {
			t.Errorf("round %d: the last run saw %v, the last trigger was %d", i, saw[max(0, len(saw)-1):], number)
		}
	})
	t.Logf("%d rounds, %d triggers, %d runs", rounds, number, len(lines(w+"/saw")))
}

// One replacement after the other, beside those that wait and a storm of those that do not:
// nobody gets in between, and those that wait are served in their order afterwards.
func TestNobodyBetweenReplacements(t *testing.T) {
	repeat(t, 2, 20, func(round int) {
		c := newCrowd(t)
		hold := func(word string, flags ...string) (*exec.Cmd, *os.File) {
			t.Helper()
			r, w := pipe(t)
			args := append(append([]string{"run"}, flags...), "n", "--", "/bin/sh", "-c", `echo "$0" >>"$1"; read -r x`, word, c.line())
			if round%2 == 1 { // only KILL ends it
				args[len(args)-3] = `trap "" TERM; ` + args[len(args)-3]
			}
			p := soleCmd(c.dir, args...)
			p.Stdin = r
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			r.Close()
			until(t, word+" runs", func() bool { l := lines(c.line()); return len(l) > 0 && l[len(l)-1] == word })
			return p, w
		}
		first, _ := hold("first")
		words := []string{"first"}
		const waiters = 3
		for i := range waiters {
			c.join(fmt.Sprint("w", i))
		}
		stops := []func(){
			c.newcomers(nil, "--shared"), c.newcomers([]sole.Option{sole.Slots(3)}, "--slots=3"), c.newcomers(nil),
		}
		last, before := first, first
		var gate *os.File
		for i := range 6 {
			before = last
			words = append(words, fmt.Sprint("r", i))
			last, gate = hold(words[len(words)-1], "--replace", "--grace", "0.05")
			if r := ended(before.Wait()); r.code != -1 {
				t.Errorf("the replaced one: exit %d", r.code)
			}
		}
		gate.Close()
		if r := ended(last.Wait()); r.code != 1 { // read finds the end
			t.Errorf("the last one: exit %d %s", r.code, r.signal)
		}
		c.allEnd()
		for _, stop := range stops {
			stop()
		}
		for i := range waiters {
			words = append(words, fmt.Sprint("w", i))
		}
		if got := lines(c.line()); len(got) < len(words) || fmt.Sprint(got[:len(words)]) != fmt.Sprint(words) {
			t.Errorf("they ran in the order %v, not %v", got[:min(len(got), len(words))], words)
		}
	})
}
