package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// shell is a shell that does what it is told, a line at a time.
type shell struct{ *held }

const shellScript = `echo up $$; while read -r line; do eval "$line"; echo "code $?"; done`

// shell starts a shell that finds sole in its PATH.
func (b *box) shell(program string) shell {
	b.Helper()
	c := b.command(program, "-c", shellScript)
	c.Env = append(c.Env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	return shell{b.start(c)}
}

// do has the shell do one line, and returns what it printed and the exit code.
func (s shell) do(line string) (out string, code int) {
	s.b.Helper()
	s.send(line)
	return s.answer()
}

func (s shell) send(line string) {
	s.b.Helper()
	if _, err := s.stdin.WriteString(line + "\n"); err != nil {
		s.b.Fatal(err)
	}
}

func (s shell) answer() (out string, code int) {
	s.b.Helper()
	for {
		l := s.line()
		if n, ok := strings.CutPrefix(l, "code "); ok {
			code, err := strconv.Atoi(strings.TrimSpace(n))
			must(s.b, err)
			return out, code
		}
		if l == "" {
			s.b.Fatalf("the shell has ended; it printed %q", out)
		}
		out += l
	}
}

// must checks the exit code of a line.
func (s shell) must(want int, line string) string {
	s.b.Helper()
	out, code := s.do(line)
	if code != want {
		said, _ := s.stderr.ReadString('\n')
		s.b.Fatalf("%s: exit code %d, not %d; it printed %q and said %q", line, code, want, out, said)
	}
	return out
}

// background starts a process that inherits what the shell has open, until it is killed.
func (s shell) background() int {
	s.b.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(s.must(0, "sleep 1000 & echo $!")))
	must(s.b, err)
	s.b.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// shells are what scripts are written for. Any may open descriptors in its own way.
var shells = []string{"sh", "bash"}

// Without a name it is flock(2) on whatever the descriptor is open on.
func TestLockDescriptorWithFlock(t *testing.T) {
	t.Parallel()
	flock := need(t, "flock", "util-linux")
	for _, program := range shells {
		for _, kind := range []string{"file", "directory", "read-only"} {
			t.Run(program+" "+kind, func(t *testing.T) {
				t.Parallel()
				b := newBox(t)
				path := b.file("theirs")
				if kind == "directory" {
					must(t, os.Mkdir(path, 0o755))
				} else {
					must(t, os.WriteFile(path, []byte("text"), map[string]os.FileMode{"file": 0o644, "read-only": 0o444}[kind]))
				}
				theirs := func(flags ...string) int {
					return b.finish(b.command(flock, append(flags, "-n", path, "true")...)).code
				}
				s := b.shell(program)
				s.must(0, "exec 9<theirs; sole lock --fd 9")
				if theirs() != 1 || theirs("-s") != 1 {
					t.Error("flock gets it too")
				}
				s.must(0, "sole lock --fd 9") // as flock(1), which takes what it has
				other := b.shell(program)
				other.must(75, "exec 9<theirs; sole lock --fd 9")
				said, err := other.stderr.ReadString('\n')
				must(t, err)
				mustContain(t, said, path+" is locked: pid "+fmt.Sprint(s.pid), "skipped")
				other.must(9, "sole lock -q -E 9 --fd 9")
				other.must(75, "sole lock -w 0.05 --fd 9")
				other.must(75, "sole lock -s --fd 9")
				other.send("sole lock --wait --fd 9")
				b.eventually("it waits", func() bool { return childOf(other.pid) != 0 && procState(childOf(other.pid)) == 'S' })
				s.must(0, "sole lock -u --fd 9")
				if _, code := other.answer(); code != 0 {
					t.Errorf("the waiter: %d", code)
				}
				s.must(75, "sole lock --fd 9")
				other.must(0, "sole lock -s --fd 9") // becomes shared
				s.must(0, "sole lock -s --fd 9")
				if theirs("-s") != 0 || theirs() != 1 {
					t.Error("it is not shared")
				}
				other.must(0, "exec 9<&-") // closed: free
				s.must(0, "sole lock --fd 9")
				kid := s.background()
				must(t, s.Process.Kill())
				s.wait()
				if theirs() != 1 {
					t.Error("the child that inherited the descriptor does not keep it")
				}
				must(t, syscall.Kill(kid, syscall.SIGKILL))
				b.eventually("free", func() bool { return theirs() == 0 })

				f := b.start(b.command(flock, "-n", "-F", path, "sh", "-c", holdScript))
				other.must(75, "exec 9<theirs; sole lock --fd 9")
				f.release()
				other.must(0, "sole lock --fd 9")
				if got, err := os.ReadFile(path); err == nil && string(got) != "text" {
					t.Errorf("it contains %q", got)
				}
			})
		}
	}
}

// childOf is a child of the process, 0 if it has none.
func childOf(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	f := strings.Fields(string(b))
	if len(f) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(f[0])
	return n
}

const openName = `exec 9<>"$(sole path --make n)"; `

// With a name the shell is the holder, and the other commands show and reach it.
func TestLockDescriptorOfName(t *testing.T) {
	t.Parallel()
	for _, program := range shells {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			must(t, os.Remove(b.dir)) // the directory is made too
			s := b.shell(program)
			s.must(0, openName+"sole lock --fd 9 n")
			st := b.status("n")
			if st.PID != s.pid || st.ChildPID != 0 || st.Orphaned || st.Run != 1 || st.Cwd != b.work || st.Command[0] != program || st.Method != "flock" {
				t.Errorf("%+v", st)
			}
			mustContain(t, b.skips("n").stderr, fmt.Sprintf("n is already running: pid %d (%s -c", s.pid, program))
			mustContain(t, b.run("ls").stdout, fmt.Sprint(s.pid))
			s.must(0, "sole lock --fd 9 n") // again: it has it
			if again := b.status("n"); again.Run != 1 || again.Skips != 1 {
				t.Errorf("%+v", again)
			}
			other := b.shell(program)
			other.must(75, openName+"sole lock --fd 9 n")
			other.must(9, "sole lock -q -E9 --fd 9 n")
			other.must(0, "sole lock -u --fd 9 n") // gives up nothing
			b.skips("n")

			// It ends by closing, by unlocking although a child has it, and with the shell.
			w := b.launch(b.sole("wait", "n"))
			s.must(0, "exec 9>&-")
			if o := w.wait(); o.code != 0 {
				t.Error(o)
			}
			if st := b.status("n"); st.State != "free" {
				t.Errorf("%+v", st)
			}
			other.must(0, "sole lock --fd 9 n")
			other.background()
			b.skips("n")
			other.must(0, "sole lock -u --fd 9 n")
			b.takes("n")

			s.must(0, openName+"sole lock --fd 9 n")
			must(t, s.Process.Kill())
			s.wait()
			b.takes("n")

			s = b.shell(program)
			s.must(0, openName+"sole lock --fd 9 n")
			kid := s.background()
			must(t, s.Process.Kill())
			s.wait()
			if st := b.status("n"); st.State != "held" || !st.Orphaned || st.ChildPID != kid {
				t.Errorf("%+v", st)
			}
			b.skips("n")
			b.expect(0, "stop", "n")
			if alive(kid) {
				t.Error("stop did not reach the child that keeps the name")
			}

			other.must(0, `trap 'echo got' USR1; sole lock --fd 9 n && sole signal n USR1`)
			if st := b.status("n"); st.PID != other.pid {
				t.Errorf("%+v", st)
			}
			b.expect(0, "stop", "n")
			if o := other.wait(); o.signal != syscall.SIGTERM {
				t.Error(o)
			}
		})
	}
}

// Waiters on a descriptor stand in line with all others, and one that is killed leaves nothing in
// the shell.
func TestLockDescriptorWaits(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("n")
	a, c := b.shell("sh"), b.shell("sh")
	a.must(75, openName+"sole lock -w 0.05 --fd 9 n")
	a.send("sole lock --wait --fd 9 n")
	b.waiters("n", 1)
	run := b.launch(b.sole("run", "--wait", "n", "--", "sh", "-c", "echo run >>order"))
	b.waiters("n", 2)
	c.send(openName + "sole lock --wait --fd 9 n")
	st := b.waiters("n", 3)
	if st.Waiting[0].PID != childOf(a.pid) || st.Waiting[2].PID != childOf(c.pid) {
		t.Errorf("%+v", st.Waiting)
	}
	queued := b.shell("sh")
	queued.must(75, openName+"sole lock --queue --fd 9 n")

	must(t, syscall.Kill(childOf(c.pid), syscall.SIGKILL))
	if _, code := c.answer(); code != 128+9 {
		t.Errorf("killed: %d", code)
	}
	b.waiters("n", 2)
	h.release()
	if _, code := a.answer(); code != 0 {
		t.Fatal(code)
	}
	if st := b.status("n"); st.PID != a.pid || st.Waiters != 1 {
		t.Errorf("%+v", st)
	}
	a.must(0, "sole lock -u --fd 9 n")
	if o := run.wait(); o.code != 0 {
		t.Error(o)
	}
	queued.must(0, "sole lock --queue --fd 9 n")
	b.skips("n")
}

// Shells share a name as runs do.
func TestLockDescriptorShared(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	a, c := b.shell("sh"), b.shell("bash")
	a.must(0, openName+"sole lock -s --fd 9 n")
	c.must(0, openName+"sole lock -s --fd 9 n")
	h := b.hold("-s", "n")
	st := b.status("n")
	if got := []int{st.PID, st.Others[0].PID, st.Others[1].PID}; fmt.Sprint(got) != fmt.Sprint([]int{a.pid, c.pid, h.Process.Pid}) {
		t.Errorf("%v: %+v", got, st)
	}
	b.skips("n")
	a.must(64, "sole lock --fd 9 n") // it has it in the other way
	a.must(0, "sole lock -s --fd 9 n")
	a.must(0, "sole lock -u --fd 9 n")
	if st := b.status("n"); len(st.Others) != 1 || st.PID != c.pid {
		t.Errorf("%+v", st)
	}
	h.release()
	must(t, c.Process.Kill())
	c.wait()
	b.takes("n")
	if st := b.status("n"); st.Run != 4 {
		t.Errorf("%+v", st)
	}
}

// Of 64 shells at once one wins, round after round.
func TestLockDescriptorStartersAtOnce(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const script = `read -r go <&3; exec 3<&-; exec 9<>"$(sole path --make n)"; sole lock -q --fd 9 n || exit; echo $$ >>winners; exec cat`
	for round := range 5 {
		gateR, gateW, err := os.Pipe()
		must(t, err)
		endR, endW, err := os.Pipe()
		must(t, err)
		starters := make([]*launched, 64)
		for i := range starters {
			c := b.command("sh", "-c", script)
			c.Env = append(c.Env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
			c.Stdin, c.ExtraFiles = endR, []*os.File{gateR}
			starters[i] = b.launch(c)
		}
		_, err = gateW.WriteString(strings.Repeat("\n", len(starters)))
		must(t, err)
		var winner *launched
		b.eventually("all but one have left", func() bool {
			left := 0
			for _, s := range starters {
				if !s.ended() {
					left, winner = left+1, s
				}
			}
			return left <= 1
		})
		won := b.words("winners")
		if len(won) != round+1 || winner == nil || won[round] != fmt.Sprint(winner.Process.Pid) || b.status("n").PID != winner.Process.Pid {
			t.Fatalf("the winners are %q", won)
		}
		for _, s := range starters {
			if s != winner && s.wait().code != 75 {
				t.Errorf("%v", s.wait())
			}
		}
		gateR.Close()
		gateW.Close()
		endR.Close()
		endW.Close()
		winner.wait()
	}
}

// What cannot be locked, or would not be the shell's, is refused.
func TestLockDescriptorRefusals(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	s := b.shell("bash")
	s.must(0, openName+`exec 8<"$(sole path n)" 7>>"$(sole path n)" 6</dev/null; : >file; exec 5<>file`)
	for _, bad := range []struct {
		code int
		line string
		says string
	}{
		{64, "sole lock", "--fd is missing"},
		{64, "sole lock 9", "--fd is missing"},
		{64, "sole lock --fd", "needs a value"},
		{64, "sole lock --fd ''", "the number of a descriptor"},
		{64, "sole lock --fd -1", "the number of a descriptor"},
		{64, "sole lock --fd 9x", "the number of a descriptor"},
		{64, "sole lock --fd 99999999999999999999", "the number of a descriptor"},
		{64, "sole lock --fd 2147483647", "is not open"},
		{64, "sole lock --fd 4", "is not open"},
		{64, "sole lock --fd 3 n", "is not open"},
		{64, "sole lock -u --fd 4", "is not open"},
		{64, "sole lock --fd 6", "neither a file nor a directory"},
		{64, "exec 4> >(cat); sole lock --fd 4", "neither a file nor a directory"},
		{64, "sole lock --fd 6 n", "not open for reading and writing"},
		{64, "sole lock --fd 8 n", "not open for reading and writing"},
		{64, "sole lock --fd 7 n", "not open for reading and writing"},
		{64, "sole lock --fd 5 n", "file, not on " + b.lockFile("n")},
		{64, "sole lock --fd 9 other", "not on " + b.lockFile("other")},
		{64, "sole lock --fd 9 .x", "is not a name"},
		{64, "sole lock --fd 9 ''", "empty word"},
		{64, "sole lock --fd 9 n m", "too much"},
		{64, "sole lock --fd 9 n 9<>\"$(sole path n)\"", "for this command alone"},
		{64, "sole lock --fd 9 -E 0 n", "without the lock"},
		{64, "sole lock --fd 9 --queue", "--queue needs a name"},
		{64, "sole lock --fd 9 --dir /", "--dir needs a name"},
		{64, "sole lock --fd 9 -u --wait n", "contradict"},
		{64, "sole lock --fd 9 -u -s", "contradict"},
		{64, "sole path --make", "a name is missing"},
		{64, "sole path --make ../x", "is not a name"},
	} {
		s.must(bad.code, bad.line)
		said, err := s.stderr.ReadString('\n')
		must(t, err)
		mustContain(t, said, bad.says)
		for s.stderr.Buffered() > 0 { // hints
			_, _ = s.stderr.ReadString('\n')
		}
	}
	b.takes("n")
	if _, err := os.Lstat(b.lockFile("other")); err == nil {
		t.Error("a lock file was made")
	}

	// A file that others may write, and one that is not at its path any more.
	s.must(0, `umask 0; exec 4<>"$SOLE_DIR/wide.lock"; umask 77`)
	s.must(77, "sole lock --fd 4 wide")
	s.must(0, `flock -n "$SOLE_DIR/wide.lock" true`) // the descriptor keeps nothing
	s.must(0, `rm "$SOLE_DIR/n.lock"`)
	s.must(73, "sole lock --fd 9 n")
	s.must(0, `umask 22; exec 4<>"$SOLE_DIR/fresh.lock"`) // not by --make
	s.must(0, "sole lock --fd 4 fresh")
	b.skips("fresh")
}

// The file that --make makes is closed to others, whatever the umask is.
func TestPathMake(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, umask := range []string{"0", "777"} {
		n := "n" + umask
		o := b.finish(b.command("sh", "-c", "umask "+umask+"; "+binary+" path --make "+n))
		if o.code != 0 || o.stdout != b.lockFile(n)+"\n" {
			t.Fatal(o)
		}
		st, err := os.Stat(b.lockFile(n))
		must(t, err)
		if st.Mode() != 0o600 || st.Size() != 0 {
			t.Errorf("umask %s: %v, %d bytes", umask, st.Mode(), st.Size())
		}
	}
	b.takes("n0")
	must(t, os.Remove(b.lockFile("n0")))
	must(t, os.Symlink("/dev/null", b.lockFile("n0")))
	b.expect(77, "path", "--make", "n0")
}
