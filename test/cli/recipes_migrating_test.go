//go:build linux

package cli

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

var migratingRecipes = map[string]func(k *kitchen){
	"lock-with-flock": func(k *kitchen) {
		need(k.T, "flock", "util-linux")
		k.cook(0, "lock-with-flock")
		if called := k.called(); strings.Count(called, "backup.sh ") != 2 {
			k.Errorf("%q", called)
		}
		h := k.hold("--lock", k.file("var/backup.lock"), "other")
		k.cook(1, "lock-with-flock")
		h.release()
		h = k.start(k.command("flock", "-n", k.file("var/backup.lock"), "sh", "-c", holdScript))
		k.cook(1, "lock-with-flock")
		if called := k.called(); called != "" {
			k.Errorf("%q", called)
		}
		h.release()
	},
}

// migration is a row of the table.
type migration struct{ flock, sole, flockBusy, soleBusy string }

func migrations(t *testing.T) (all []migration) {
	text, err := os.ReadFile("../../docs/migrating.md")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), " | ")
		if len(cells) != 4 || !strings.HasPrefix(cells[1], "`sole") && !strings.HasPrefix(cells[1], "`exec") {
			continue
		}
		code := func(s string) string { return strings.ReplaceAll(strings.Trim(s, "|` "), "\x00", "|") }
		all = append(all, migration{code(cells[0]), code(cells[1]), code(cells[2]), code(cells[3])})
	}
	return all
}

// Each row of the table does on both sides what it says.
func TestMigratingTable(t *testing.T) {
	t.Parallel()
	need(t, "flock", "util-linux")
	all := migrations(t)
	if len(all) < 15 {
		t.Fatalf("%d rows", len(all))
	}
	for i, m := range all {
		for side, words := range map[string][2]string{"flock": {m.flock, m.flockBusy}, "sole": {m.sole, m.soleBusy}} {
			t.Run(strconv.Itoa(i+1)+side, func(t *testing.T) {
				t.Parallel()
				k := newKitchen(t)
				k.free(words[0])
				k.busy(words[0], words[1])
			})
		}
	}
}

// oneSide is a cell as a command. CMD says whether the holder has ended.
func (k *kitchen) oneSide(text string) *exec.Cmd {
	cmd := "test -e released"
	if strings.Contains(text, "'CMD'") {
		text = strings.ReplaceAll(text, "'CMD'", "'"+cmd+"'")
	}
	for word, with := range map[string]string{"FILE": "file.lock", "NAME": "n", "CMD": cmd} {
		text = strings.ReplaceAll(text, word, with)
	}
	return k.command("sh", "-c", text)
}

func (k *kitchen) free(text string) {
	k.Helper()
	if o := k.finish(k.oneSide(text)); o.code != 1 || o.stderr != "" { // of test
		k.Errorf("%s on a free name: %v", text, o)
	}
	must(k, os.WriteFile(k.file("released"), nil, 0o600))
	if o := k.finish(k.oneSide(text)); o.code != 0 {
		k.Errorf("%s on a free name: %v", text, o)
	}
	must(k, os.Remove(k.file("released")))
}

func (k *kitchen) busy(text, want string) {
	k.Helper()
	holder := "echo up $$; cat >/dev/null; touch released"
	h := k.start(k.sole("run", "--lock", k.file("file.lock"), "n", "--", "sh", "-c", holder))
	if want != "waits" {
		if o := k.finish(k.oneSide(text)); strconv.Itoa(o.code) != want {
			k.Errorf("%s on a held name: want %s, got %v", text, want, o)
		}
		h.release()
		return
	}
	l := k.launch(k.oneSide(text))
	k.eventually("it waits", func() bool { return k.blocked(l.Process.Pid) })
	h.release()
	if o := l.wait(); o.code != 0 {
		k.Errorf("%s did not wait: %v", text, o)
	}
}

// blocked reports whether a process, or a child of it, waits for a lock.
func (k *kitchen) blocked(pid int) bool {
	for ; pid != 0; pid = childOf(pid) {
		locks, err := os.ReadFile("/proc/locks")
		must(k, err)
		for line := range strings.Lines(string(locks)) {
			f := strings.Fields(line)
			if len(f) > 5 && f[1] == "->" && f[5] == strconv.Itoa(pid) {
				return true
			}
		}
	}
	return false
}

// What the page says of pid files: the old script runs twice beside a recycled pid's file, or not at all; the
// new one does neither.
func TestMigratingFromPidFile(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	must(t, os.WriteFile(k.file("var/job.pid"), []byte(strconv.Itoa(os.Getpid())), 0o600))
	if o := k.finish(k.command(k.file("bin/old-pidfile"))); o.code != 1 {
		t.Errorf("the old one: %v", o)
	}
	if o := k.finish(k.command(k.file("bin/new-pidfile"))); o.code != 0 {
		t.Errorf("the new one: %v", o)
	}
	mustContain(t, k.called(), "nightly-job run=1")
	k.env = append(k.env, "FAKE_HOLD=1")
	h := k.start(k.command(k.file("bin/new-pidfile")))
	if o := k.finish(k.command(k.file("bin/new-pidfile"))); o.code != 75 {
		t.Errorf("a second one: %v", o)
	}
	h.release()
}

// libraries are the Python libraries of the page: how each takes a file without waiting.
var libraries = map[string]string{
	"filelock":    `l = filelock.FileLock(sys.argv[1], timeout=0); l.acquire()`,
	"fasteners":   `l = fasteners.InterProcessLock(sys.argv[1]); assert l.acquire(blocking=False)`,
	"portalocker": `l = portalocker.Lock(sys.argv[1], timeout=0, fail_when_locked=True); l.acquire()`,
}

// Python's lock libraries and --lock exclude each other, in both directions.
func TestLockWithPythonLibraries(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	for library, take := range libraries {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			if exec.Command(python, "-c", "import "+library).Run() != nil {
				need(t, python+" with "+library, "python3-"+library)
			}
			b := newBox(t)
			file := b.file("l")
			program := func() *exec.Cmd {
				return b.command(python, "-c", "import os, sys, "+library+"\n"+take+"\nprint('up', os.getpid(), flush=True); sys.stdin.read()", file)
			}
			h := b.start(program())
			o := b.expect(75, "run", "--lock", file, "n", "--", "touch", b.file("witness"))
			mustContain(t, o.stderr, "n: "+file+" is locked: pid "+strconv.Itoa(h.pid))
			b.notRun()
			h.release()
			h = b.hold("--lock", file, "n")
			if o := b.finish(program()); o.code != 1 || o.stdout != "" {
				t.Error(o)
			}
			h.release()
			b.start(program()).release()
		})
	}
}

func TestMigratingFromFilelock(t *testing.T) {
	t.Parallel()
	if exec.Command("/usr/bin/python3", "-c", "import filelock").Run() != nil {
		need(t, "/usr/bin/python3 with filelock", "python3-filelock")
	}
	k := newKitchen(t)
	for _, program := range []string{"with-filelock", "with-sole"} {
		if o := k.finish(k.command(k.file("bin/" + program))); o.code != 0 {
			t.Error(o)
		}
		mustContain(t, k.called(), "nightly-job ")
		h := k.hold("--lock", k.file("var/nightly.lock"), "nightly")
		if o := k.finish(k.command(k.file("bin/" + program))); o.code != 1 || k.called() != "" {
			t.Error(o)
		}
		h.release()
	}
}
