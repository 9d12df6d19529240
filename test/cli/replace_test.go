package cli

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// replaceBy has a command take the name from its holder, and hold it.
func (b *box) replaceBy(flags ...string) *held {
	b.Helper()
	return b.hold(append(append([]string{"--replace"}, flags...), "n")...)
}

// replaced checks that h was ended and that r has its name.
func (b *box) replaced(h, r *held, run uint64) {
	b.Helper()
	if alive(h.pid) {
		b.Errorf("the replaced command, pid %d, lives while its successor runs", h.pid)
	}
	var st status
	b.eventually("the command is written down", func() bool { // it runs a moment earlier
		st = b.status("n")
		return st.ChildPID != 0 || st.PID != r.Process.Pid
	})
	if st.State != "held" || st.PID != r.Process.Pid || st.ChildPID != r.pid || st.Replaced != run || st.Run <= run || st.Orphaned {
		b.Errorf("status: %+v", st)
	}
	mustContain(b, b.expect(0, "status", "n").stdout, fmt.Sprintf("%d, in place of %d", st.Run, run))
}

func TestReplace(t *testing.T) {
	t.Parallel()
	// overlap has the new command say whether the old one still lives.
	for _, c := range []struct {
		name   string
		script string // of the one that is replaced
		flags  []string
		harm   func(b *box, h *held)
		ends   syscall.Signal // how its supervisor ends
		least  time.Duration
	}{
		{name: "plain", ends: syscall.SIGTERM},
		{name: "ignores TERM", script: `trap "" TERM; ` + holdScript, flags: []string{"--grace", "0.3"}, ends: syscall.SIGKILL, least: 300 * time.Millisecond},
		{name: "no grace at all", script: `trap "" TERM; ` + holdScript, flags: []string{"--grace", "0"}, ends: syscall.SIGKILL},
		{name: "orphaned", harm: func(b *box, h *held) {
			must(b, h.Process.Kill())
			h.wait()
		}},
		{name: "orphaned and ignores TERM", script: `trap "" TERM; ` + holdScript, flags: []string{"--grace", "0.2"}, harm: func(b *box, h *held) {
			must(b, h.Process.Kill())
			h.wait()
		}, least: 200 * time.Millisecond},
		{name: "stopped command", ends: syscall.SIGTERM, harm: func(b *box, h *held) {
			b.expect(0, "signal", "n", "STOP")
			b.eventually("it is stopped", func() bool { return procState(h.pid) == 'T' })
		}},
		{name: "stopped supervisor", ends: syscall.SIGTERM, harm: func(b *box, h *held) { b.freeze(h.Process) }},
		{name: "both stopped", ends: syscall.SIGTERM, harm: func(b *box, h *held) {
			b.expect(0, "signal", "n", "STOP")
			b.freeze(h.Process)
		}},
	} {
		for _, kind := range []string{"", "--kill-tree", "--exec"} {
			t.Run(strings.TrimSpace(c.name+" "+kind), func(t *testing.T) {
				t.Parallel()
				b := newBox(t)
				script := c.script
				if script == "" {
					script = holdScript
				}
				h := b.start(b.sole("run", "n", "--", "sh", "-c", script))
				run := b.status("n").Run
				if c.harm != nil {
					c.harm(b, h)
				}
				flags := c.flags
				if kind != "" {
					flags = append(slices.Clone(flags), kind)
				}
				begin := time.Now()
				r := b.replaceBy(flags...)
				if took := time.Since(begin); took < c.least {
					t.Errorf("replaced after %s", took)
				}
				if kind == "--exec" {
					if alive(h.pid) || b.status("n").Replaced != run {
						t.Errorf("status: %+v", b.status("n"))
					}
				} else {
					b.replaced(h, r, run)
				}
				if !h.waited {
					if o := h.wait(); o.signal != c.ends {
						t.Errorf("the replaced supervisor: %v", o)
					}
				}
				if o := r.release(); o.code != 0 {
					t.Errorf("the successor: %v", o)
				}
				b.takes("n")
				if st := b.status("n"); st.Replaced != 0 {
					t.Errorf("a run that replaced nobody: %+v", st)
				}
			})
		}
	}
}

// On a free name there is nobody to replace.
func TestReplaceNobody(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for range 3 {
		b.expect(0, "run", "--replace", "--older-than", "1h", "n", "--", "true")
	}
	h := b.replaceBy()
	if st := b.status("n"); st.Replaced != 0 || st.State != "held" {
		t.Errorf("%+v", st)
	}
	if s := b.expect(0, "status", "n").stdout; strings.Contains(s, "in place of") {
		t.Errorf("%q", s)
	}
	h.release()
}

// The replaced program chooses its exit code, and a supervisor passes it on.
func TestReplacedCommandEndsInItsOwnWay(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.start(b.sole("run", "n", "--", "sh", "-c", `trap 'exit 9' TERM; echo up $$; while :; do read -r x </dev/null; done`))
	r := b.replaceBy()
	if o := h.wait(); o.code != 9 {
		t.Errorf("the replaced one: %v", o)
	}
	r.release()

	// And a holder that is a program itself.
	h = b.hold("--exec", "n")
	run := b.status("n").Run
	r = b.replaceBy()
	if o := h.wait(); o.signal != syscall.SIGTERM {
		t.Errorf("the replaced one: %v", o)
	}
	if st := b.status("n"); st.Replaced != run {
		t.Errorf("%+v", st)
	}
	r.release()
}

func TestReplaceSparesTheYoung(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	run := b.status("n").Run
	o := b.expect(75, "run", "--replace", "--older-than", "1h", "n", "--", "touch", b.file("witness"))
	b.notRun()
	mustContain(t, o.stderr, fmt.Sprintf("n is already running: pid %d", h.Process.Pid), "not yet for 1h00m, skipped")
	if !alive(h.pid) || b.status("n").Skips != 1 || b.status("n").Waiters != 0 {
		t.Errorf("status: %+v", b.status("n"))
	}
	b.eventually("it has run for a while", func() bool { return b.status("n").Seconds > 0.3 })
	r := b.replaceBy("--older-than", "0.3")
	b.replaced(h, r, run)
	h.wait()
	r.release()
	b.takes("n")
}

// While a holder that takes no notice is given its grace, the limit of the wait holds.
func TestReplaceGivesUp(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript))
	o := b.expect(75, "run", "--replace", "--wait=0.2", "n", "--", "touch", b.file("witness"))
	b.notRun()
	mustContain(t, o.stderr, "gave up after 200ms")
	if st := b.status("n"); st.PID != h.Process.Pid || st.Waiters != 0 {
		t.Errorf("status: %+v", st)
	}
	h.release()
	b.takes("n")
}

// What cannot or must not be signalled is left alone, and nothing is run.
func TestReplaceRefuses(t *testing.T) {
	t.Parallel()
	needRoot(t)
	refuses := func(b *box, c *exec.Cmd, code int, parts ...string) {
		b.Helper()
		o := b.finish(c)
		if o.code != code || o.stdout != "" {
			b.Errorf("%q: %v", c.Args, o)
		}
		mustContain(b, o.stderr, parts...)
		b.notRun()
	}
	replace := func(b *box, flags ...string) []string {
		return append(append([]string{"run", "--replace"}, flags...), "n", "--", "touch", b.file("witness"))
	}
	t.Run("another pid namespace", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		h := b.start(b.inside(binary, "run", "n", "--", "sh", "-c", holdScript))
		for _, flags := range [][]string{{}, {"--kill-tree"}, {"--wait=1h"}, {"--exec"}} {
			refuses(b, b.sole(replace(b, flags...)...), 77, "another pid namespace")
		}
		refuses(b, b.inside(append([]string{binary}, replace(b)...)...), 77, "another pid namespace")
		if st := b.status("n"); st.State != "held" || st.Waiters != 0 {
			t.Errorf("status: %+v", st)
		}
		if o := h.release(); o.code != 0 {
			t.Errorf("its end: %v", o)
		}
		b.takes("n")
	})
	t.Run("another user", func(t *testing.T) {
		t.Parallel()
		// A user's command that has become root's.
		b := newBoxFor(t, nobody)
		program, err := os.ReadFile(helper)
		must(t, err)
		must(t, os.WriteFile(b.file("root"), program, 0o755))
		must(t, os.Chmod(b.file("root"), 0o755|os.ModeSetuid))
		b.env = []string{helperEnv + "=root"}
		h := b.start(b.sole("run", "n", "--", b.file("root")))
		b.env = nil
		for _, flags := range [][]string{{}, {"--kill-tree"}, {"--wait=1h"}} {
			refuses(b, b.sole(replace(b, flags...)...), 77, "n is held by a process that you may not signal", "hint: ")
		}
		if st := b.status("n"); st.State != "held" || st.PID != h.Process.Pid || st.Waiters != 0 || !alive(h.pid) {
			t.Errorf("status: %+v", st)
		}
		if o := h.release(); o.code != 0 {
			t.Errorf("its end: %v", o)
		}
		b.takes("n")
	})
	t.Run("nobody to be seen", func(t *testing.T) {
		t.Parallel()
		// Supervisor and command are gone, and what they left to root keeps the lock: that may be
		// about to end, as a killed process is.
		b := newBoxFor(t, nobody)
		program, err := os.ReadFile(helper)
		must(t, err)
		must(t, os.WriteFile(b.file("root"), program, 0o755))
		must(t, os.Chmod(b.file("root"), 0o755|os.ModeSetuid))
		h := b.start(b.sole("run", "n", "--", "sh", "-c", `echo up $$; exec 8<&0; `+helperEnv+`=root "$0" <&8 & exec sleep 1000`, b.file("root")))
		if got := h.line(); !strings.HasPrefix(got, "up ") {
			t.Fatalf("%q", got)
		}
		must(t, h.Process.Kill())
		must(t, syscall.Kill(h.pid, syscall.SIGKILL))
		b.eventually("they are gone", func() bool { return !alive(h.pid) })
		l := b.launch(b.sole(append([]string{"run", "--replace", "n"}, b.say("next")...)...))
		b.eventually("it waits", func() bool {
			w := b.status("n").Waiting
			return l.ended() || len(w) == 1 && w[0].Seconds > 1
		})
		h.stdin.Close()
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
		h.wait()
		b.takes("n")
	})
	t.Run("its own ancestor", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		for _, flags := range []string{"", "--kill-tree", "--exec"} {
			o := b.run("run", "n", "--", "sh", "-c",
				`"$0" run --replace `+flags+` n -- touch "$1"; echo "inner $?"`, binary, b.file("witness"))
			b.notRun()
			if o.code != 0 || o.stdout != "inner 78\n" {
				t.Errorf("%s: %v", flags, o)
			}
			mustContain(t, o.stderr, "ancestor")
		}
	})
}

// The command's descendants are gone before its successor begins, wherever they are.
func TestReplaceKillTree(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	for _, until := range []string{"main", "tree"} {
		t.Run(until, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			// A daemon in a session of its own, a grandchild that ignores TERM, and one
			// that is stopped.
			ready := b.fifo("ready")
			const script = `
				setsid -f sh -c 'echo $$ >>"$0"; echo >"$1"; exec sleep 1000' "$1" "$2"; read -r x <"$2"
				sh -c 'sh -c "trap \"\" TERM; echo \$\$ >>\"\$0\"; echo >\"\$1\"; while :; do sleep 1000; done" "$0" "$1" & wait' "$1" "$2" & read -r x <"$2"
				sh -c 'echo $$ >>"$0"; echo >"$1"; kill -STOP $$; sleep 1000' "$1" "$2" & read -r x <"$2"
				echo up $$; exec cat >/dev/null`
			h := b.start(b.sole("run", "--until", until, "n", "--", "sh", "-c", script, "sh", b.file("family"), ready))
			run := b.status("n").Run
			family := b.words("family")
			if len(family) != 3 {
				t.Fatalf("the family is %v", family)
			}
			var fds []*os.Process
			for _, w := range family {
				pid, err := strconv.Atoi(w)
				must(t, err)
				p, err := os.FindProcess(pid) // a handle: pidfd
				must(t, err)
				fds = append(fds, p)
			}
			t.Cleanup(func() {
				for _, p := range fds {
					_ = p.Kill()
				}
			})
			check := `for p in $0; do kill -0 $p 2>/dev/null && case $(ps -o stat= -p $p) in Z*|"") ;; *) echo "$p lives" ;; esac; done; echo up $$; exec cat >/dev/null`
			c := b.sole("run", "--replace", "--kill-tree", "--grace", "0.3", "n", "--", "sh", "-c", check, strings.Join(family, " "))
			r := b.start(c)
			b.replaced(h, r, run)
			h.wait()
			r.release()
			b.takes("n")
		})
	}
}

// Without --kill-tree a daemon lives on, as after every end.
func TestReplaceLeavesDaemons(t *testing.T) {
	t.Parallel()
	need(t, "setsid", "util-linux")
	b := newBox(t)
	fifo, up := b.fifo("fifo"), b.fifo("up")
	c := b.sole("run", "n", "--", "sh", "-c", `setsid -f sh -c 'echo $$ >"$1"; read -r x <"$0"' "$1" "$2"; read -r d <"$2"; echo $d >"$3"; echo up $$; exec cat >/dev/null`,
		"sh", fifo, up, b.file("daemon"))
	h := b.start(c)
	daemon, err := strconv.Atoi(b.words("daemon")[0])
	must(t, err)
	t.Cleanup(func() { endDaemon(daemon, fifo) })
	run := b.status("n").Run
	r := b.replaceBy()
	b.replaced(h, r, run)
	if !alive(daemon) {
		t.Error("the daemon was ended")
	}
	r.release()
}

// witness notices another one beside it, by a lock that ends with it, and stays until its
// standard input ends. It is one process: a child, such as flock(1), would have the lock for a
// moment after its parent was ended, and look like a second run to the next one.
func witness(number, dir string) {
	say := func(file, line string) {
		f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err == nil {
			_, err = f.WriteString(line + "\n")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		f.Close()
	}
	here, err := os.OpenFile(filepath.Join(dir, "here"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil || syscall.Flock(int(here.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		say("violations", "overlap")
	}
	say("order", number+" "+os.Getenv("SOLE_RUN"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(here)
}

// noOverlap checks what the witnesses have seen.
func (b *box) noOverlap() {
	b.Helper()
	if v := b.words("violations"); len(v) > 0 {
		b.Errorf("%d ran beside another one: %v", len(v), v)
	}
}

// order is what the witnesses have written: who ran, and the run numbers.
func (b *box) order() (who []string, runs []uint64) {
	b.Helper()
	for i, w := range b.words("order") {
		if i%2 == 0 {
			who = append(who, w)
			continue
		}
		n, err := strconv.ParseUint(w, 10, 64)
		must(b, err)
		runs = append(runs, n)
	}
	return who, runs
}

// Of replacers at once each has its turn or is ended before it, the newest is left, and no two
// run at the same time.
func TestReplacersAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 10} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			in, hold, err := os.Pipe()
			must(t, err)
			defer in.Close()
			defer hold.Close()
			h := b.hold("n")
			var all []*launched
			for i := range n {
				c := b.sole("run", "--replace", "n", "--", helper, strconv.Itoa(i), b.work)
				c.Env = append(c.Env, helperEnv+"=witness")
				c.Stdin = in
				all = append(all, b.launch(c))
			}
			left := func() (l []int) {
				for i := range all {
					if !all[i].ended() {
						l = append(l, i)
					}
				}
				return l
			}
			b.eventually("one is left", func() bool { return len(left()) == 1 })
			b.eventually("it runs", func() bool { return b.status("n").ChildPID != 0 && b.status("n").Waiters == 0 })
			last := left()
			if len(last) != 1 {
				t.Fatalf("left: %v", last)
			}
			if st := b.status("n"); st.PID != all[last[0]].Process.Pid || st.Replaced == 0 {
				t.Errorf("%d is left: %+v", last[0], st)
			}
			for i, l := range all {
				if i == last[0] {
					continue
				}
				if o := l.wait(); o.signal != syscall.SIGTERM && o.signal != syscall.SIGKILL {
					t.Errorf("replacer %d: %v", i, o)
				}
			}
			if o := h.wait(); o.signal != syscall.SIGTERM {
				t.Errorf("the first holder: %v", o)
			}
			b.eventually("the last one has written", func() bool {
				who, _ := b.order()
				return len(who) > 0 && who[len(who)-1] == strconv.Itoa(last[0])
			})
			hold.Close()
			if o := all[last[0]].wait(); o.code != 0 {
				t.Errorf("the last one: %v", o)
			}
			b.noOverlap()
			_, runs := b.order()
			if !slices.IsSorted(runs) {
				t.Errorf("runs: %v", runs)
			}
			b.takes("n")
		})
	}
}

// A replacement goes before those that wait, who keep their order behind it.
func TestReplaceBesideWaiters(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	w := b.queueUp(5, "--wait")
	run := b.status("n").Run
	r := b.replaceBy()
	b.replaced(h, r, run)
	if st := b.status("n"); st.Waiters != 5 {
		t.Errorf("%d wait", st.Waiters)
	}
	if got := b.words("order"); len(got) > 0 {
		t.Errorf("%v ran before it", got)
	}
	r.release()
	for _, l := range w {
		if o := l.wait(); o.code != 0 {
			t.Errorf("a waiter: %v", o)
		}
	}
	if got := b.words("order"); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("they ran in the order %v", got)
	}
	// As long as it waits for the end of the holder, it is listed in front.
	h = b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript))
	w = b.queueUp(1, "--wait")
	l := b.launch(b.sole("run", "--replace", "--grace", "1h", "n", "--", "true"))
	st := b.waiters("n", 2)
	if len(st.Waiting) != 2 || st.Waiting[0].For != "replace" || st.Waiting[0].PID != l.Process.Pid || st.Waiting[1].For != "exclusive" {
		t.Errorf("%+v", st.Waiting)
	}
	mustContain(t, b.expect(0, "status", "n").stdout, "to replace it")
	h.release()
	for _, l := range append(w, l) {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
}

// Replace ends all that share the name.
func TestReplaceSharers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two, three := b.hold("-s", "n"), b.hold("-s", "n"), b.hold("--slots", "3", "n")
	r := b.replaceBy()
	for _, h := range []*held{one, two, three} {
		if alive(h.pid) {
			t.Errorf("%d lives", h.pid)
		}
		if o := h.wait(); o.signal != syscall.SIGTERM {
			t.Errorf("%v", o)
		}
	}
	r.release()
	b.takes("n")
}

// A replacer that is killed while the holder has its grace lets the others through, in their
// order; so does one that was stopped, and ends whoever has the name when it goes on.
func TestReplacerThatIsKilledOrStopped(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	stubborn := func() *held { return b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript)) }
	h := stubborn()
	w := b.queueUp(2, "--wait")
	r := b.launch(b.sole(append([]string{"run", "--replace", "--grace", "1h", "n"}, b.say("killed")...)...))
	b.waiters("n", 3)
	must(t, r.Process.Kill())
	b.waiters("n", 2)
	h.release()
	for _, l := range w {
		if o := l.wait(); o.code != 0 {
			t.Errorf("%v", o)
		}
	}
	if got := b.words("order"); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("they ran in the order %v", got)
	}

	h = stubborn()
	c := b.sole("run", "--replace", "--grace", "1h", "n", "--", "sh", "-c", `echo older >>"$0"`, b.file("order"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r = b.launch(c)
	b.waiters("n", 1)
	b.freeze(r.Process)
	newer := b.replaceBy("--grace", "0")
	h.wait()
	if st := b.status("n"); st.PID != newer.Process.Pid || st.Waiters != 1 {
		t.Errorf("status: %+v", st)
	}
	must(t, r.Process.Signal(syscall.SIGCONT))
	if o := newer.wait(); o.signal != syscall.SIGTERM {
		t.Errorf("the newer one: %v", o)
	}
	if o := r.wait(); o.code != 0 {
		t.Errorf("the one that went on: %v", o)
	}
	b.takes("n")
}

// One that waits, and has got the lock before its turn, is no holder: neither a replacement nor
// stop ends it, however slow it is to give the lock back.
func TestWhoeverWaitsIsNotReplaced(t *testing.T) {
	t.Parallel()
	strace := need(t, "strace", "strace")
	b := newBox(t)
	h := b.start(b.sole("run", "n", "--", "sh", "-c", `trap "" TERM; `+holdScript))
	args := append([]string{"-f", "-qq", "-o", os.DevNull, "-e", "trace=fcntl", "-e", "inject=fcntl:delay_enter=150000",
		binary, "run", "--wait", "n"}, b.say("slow")...)
	slow := b.launch(b.command(strace, args...))
	b.waiters("n", 1)
	pid := b.status("n").Waiting[0].PID
	b.eventually("it is blocked", func() bool { return blockedIn(pid, syscall.SYS_FLOCK) > 0 })
	next := b.launch(b.sole(append([]string{"run", "--replace", "--grace", "1h", "n"}, b.say("next")...)...))
	b.waiters("n", 2)
	h.release()
	b.eventually("it has the lock", func() bool { return slices.Contains(flockedBy(b.lockFile("n")), pid) })
	if st := b.status("n"); st.State != "free" && st.PID != next.Process.Pid {
		t.Errorf("status: %+v", st)
	}
	b.expect(0, "stop", "n") // nobody has it, or the next one, which ends anyway
	slow.wait()
	next.wait()
	if got := b.words("order"); !slices.Contains(got, "slow") {
		t.Errorf("it was ended; the order was %v", got)
	}
}
