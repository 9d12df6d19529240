package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// lockers are programs that lock a file for as long as a command runs, and do not wait for it.
var lockers = []struct {
	program, pkg string
	flags        []string
}{
	{"flock", "util-linux", []string{"-n"}},
	{"setlock", "daemontools", []string{"-n"}},
	{"chpst", "runit", []string{"-L"}},
	{"s6-setlock", "s6", []string{"-n"}},
	{"lckdo", "moreutils", nil},
	{"with-lock-ex", "chiark-utils-bin", []string{"-f"}},
	{"runlock", "cronutils", []string{"-f"}},
}

// Programs of both families of locks, flock(2) and fcntl(2), exclude --lock and are excluded by it.
func TestLockWithEveryLocker(t *testing.T) {
	t.Parallel()
	for _, l := range lockers {
		t.Run(l.program, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			program, path := need(t, l.program, l.pkg), b.file("theirs")
			must(t, os.WriteFile(path, nil, 0o644))
			theirs := func(command ...string) []string {
				return append(append(append([]string{}, l.flags...), path), command...)
			}

			h := b.hold("--lock", path, "n")
			if o := b.finish(b.command(program, theirs("touch", b.file("witness"))...)); o.code == 0 {
				t.Errorf("it runs beside sole: %v", o)
			}
			b.notRun()
			h.release()
			if o := b.finish(b.command(program, theirs("true")...)); o.code != 0 {
				t.Errorf("afterwards: %v", o)
			}

			p := b.start(b.command(program, theirs("sh", "-c", holdScript)...))
			for _, flags := range [][]string{{}, {"--exec"}, {"--wait=0.05"}} {
				o := b.expect(75, append(append([]string{"run"}, flags...), "--lock", path, "n", "--", "touch", b.file("witness"))...)
				mustContain(t, o.stderr, path+" is locked: pid ")
				if !strings.Contains(o.stderr, fmt.Sprintf("pid %d ", p.Process.Pid)) && !strings.Contains(o.stderr, fmt.Sprintf("pid %d ", p.pid)) {
					t.Errorf("neither %d nor %d is named: %q", p.Process.Pid, p.pid, o.stderr)
				}
			}
			b.notRun()
			w := b.launch(b.sole("run", "--wait", "--lock", path, "n", "--", "touch", b.file("waited")))
			b.eventually("it waits for the file", func() bool { return b.status("n").State == "held" })
			if w.ended() {
				t.Fatal("it did not wait")
			}
			p.release()
			if o := w.wait(); o.code != 0 {
				t.Errorf("the waiter: %v", o)
			}
			if _, err := os.Stat(b.file("waited")); err != nil {
				t.Error(err)
			}
		})
	}
}

// What may not be written is held too: flock(2) as ever, and fcntl(2) shared, which excludes exclusive ones.
func TestLockOfReadOnlyFile(t *testing.T) {
	t.Parallel()
	needRoot(t)
	setlock := need(t, "s6-setlock", "s6")
	for what, mode := range map[string]os.FileMode{"not writable": 0o644, "executable": 0o755} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBoxFor(t, nobody)
			must(t, os.Chmod(b.work, 0o755))
			path := b.file("theirs")
			must(t, os.WriteFile(path, nil, mode))
			other := newBox(t) // root's

			h := b.hold("--lock", path, "n")
			if o := other.finish(other.command(setlock, "-n", path, "true")); o.code == 0 {
				t.Errorf("s6-setlock while sole holds: %v", o)
			}
			other.expect(75, "run", "--lock", path, "n", "--", "false") // flock(2)
			h.release()

			p := other.start(other.command(setlock, "-n", path, "sh", "-c", holdScript))
			b.expect(75, "run", "--lock", path, "n", "--", "touch", b.file("witness"))
			b.notRun()
			p.release()
			b.expect(0, "run", "--lock", path, "n", "--", "true")
		})
	}
}

// Both are free when the command has ended, although a daemon that it left has the descriptor.
func TestLockIsFreeBesideDaemon(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path, alive := b.file("theirs"), b.fifo("alive")
	b.expect(0, "run", "--lock", path, "n", "--", "sh", "-c", "setsid cat "+alive+" >/dev/null 2>&1 & :")
	defer func() { must(t, os.WriteFile(alive, nil, 0)) }() // the daemon ends
	for _, l := range lockers {
		program := need(t, l.program, l.pkg)
		if o := b.finish(b.command(program, append(append([]string{}, l.flags...), path, "true")...)); o.code != 0 {
			t.Errorf("%s: %v", l.program, o)
		}
	}
}

// A program that is held can be executed.
func TestLockOfTheCommandItself(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := b.file("job")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\necho ran\n"), 0o755))
	if o := b.expect(0, "run", "--lock", path, "n", "--", path); o.stdout != "ran\n" {
		t.Error(o)
	}
}

// Those that share the name share the file, in both families.
func TestLockShared(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	flock, setlock := need(t, "flock", "util-linux"), need(t, "s6-setlock", "s6")
	path := b.file("theirs")
	must(t, os.WriteFile(path, nil, 0o644))
	h := b.hold("-s", "--lock", path, "n")
	for _, c := range [][]string{{flock, "-n", "-s", path, "true"}, {setlock, "-r", "-n", path, "true"}} {
		if o := b.finish(b.command(c[0], c[1:]...)); o.code != 0 {
			t.Errorf("%q: %v", c, o)
		}
	}
	for _, c := range [][]string{{flock, "-n", path, "true"}, {setlock, "-w", "-n", path, "true"}} {
		if o := b.finish(b.command(c[0], c[1:]...)); o.code == 0 {
			t.Errorf("%q runs beside sole: %v", c, o)
		}
	}
	h.release()
}

// A wait for the fcntl(2) lock leaves nothing when its time is up, and a lock file of sole's is not
// locked that way: its marks are such locks.
func TestLockOfAnotherName(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.takes("a")
	h := b.hold("--lock", b.lockFile("a"), "b")
	b.skips("a")
	w := b.launch(b.sole("run", "--wait", "a", "--", "true"))
	if st := b.waiters("a", 1); st.Waiting[0].PID != w.Process.Pid {
		t.Errorf("%+v", st)
	}
	h.release()
	if o := w.wait(); o.code != 0 {
		t.Error(o)
	}
	if st := b.status("a"); st.State != "free" || st.Waiters != 0 {
		t.Errorf("%+v", st)
	}
}
