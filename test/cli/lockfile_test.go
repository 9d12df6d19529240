package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// --lock takes part with flock(1), in both directions, on files and directories.
func TestLockWithFlock(t *testing.T) {
	t.Parallel()
	flock := need(t, "flock", "util-linux")
	for _, kind := range []string{"file", "read-only file", "directory", "link to a file"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			path := b.file("theirs")
			const text = "not sole's to change\n"
			switch kind {
			case "directory":
				must(t, os.Mkdir(path, 0o755))
			case "read-only file":
				must(t, os.WriteFile(path, []byte(text), 0o444))
			case "link to a file":
				must(t, os.WriteFile(path+"2", []byte(text), 0o644))
				must(t, os.Symlink(path+"2", path))
			default:
				must(t, os.WriteFile(path, []byte(text), 0o644))
			}
			before, err := os.Stat(path)
			must(t, err)

			// sole has it: flock does not get it.
			h := b.hold("--lock", path, "n")
			if o := b.finish(b.command(flock, "-n", "-E", "9", path, "touch", b.file("witness"))); o.code != 9 {
				t.Errorf("flock while sole holds: %v", o)
			}
			// Nor does another name that wants the same file.
			o := b.expect(75, "run", "--lock", path, "m", "--", "touch", b.file("witness"))
			mustContain(t, o.stderr, path, "locked", fmt.Sprint(h.Process.Pid))
			b.expect(75, "run", "--lock", path, "--wait=0.05", "m", "--", "touch", b.file("witness"))
			b.notRun()
			if st := b.status("m"); st.State != "free" {
				t.Errorf("after the skip: %+v", st)
			}
			h.release()
			if o := b.finish(b.command(flock, "-n", path, "true")); o.code != 0 {
				t.Errorf("flock afterwards: %v", o)
			}

			// flock has it: sole does not get it.
			f := b.start(b.command(flock, "-n", "-F", path, "sh", "-c", holdScript))
			for _, flags := range [][]string{{}, {"--exec"}, {"--wait=0.05"}} {
				o := b.expect(75, append(append([]string{"run"}, flags...), "--lock", path, "n", "--", "touch", b.file("witness"))...)
				mustContain(t, o.stderr, path)
			}
			b.notRun()
			b.takes("n") // without it
			w := b.sole("run", "--wait", "--lock", path, "n", "--", "sh", "-c", holdScript)
			go func() {
				for b.status("n").State != "held" { // its name comes first
					pause()
				}
				f.stdin.Close()
			}()
			h = b.start(w)
			f.wait()
			h.release()

			// It is as it was.
			after, err := os.Stat(path)
			must(t, err)
			if !os.SameFile(before, after) || before.Mode() != after.Mode() || !before.ModTime().Equal(after.ModTime()) {
				t.Errorf("it was changed: %v, then %v", before, after)
			}
			if kind != "directory" {
				if got, err := os.ReadFile(path); err != nil || string(got) != text {
					t.Errorf("it contains %q, %v", got, err)
				}
			}
		})
	}
}

func TestLockFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	must(t, os.Symlink(b.file("absent"), b.file("dangling")))
	b.fifo("pipe")
	for path, code := range map[string]int{"dangling": 77, "pipe": 77, "/dev/null": 77, "missing/file": 73} {
		if path[0] != '/' {
			path = b.file(path)
		}
		o := b.expect(code, "run", "--lock", path, "n", "--", "touch", b.file("witness"))
		mustContain(t, o.stderr, path)
	}
	b.notRun()
	if _, err := os.Lstat(b.file("absent")); err == nil {
		t.Error("the target of the dangling link was made")
	}
	b.takes("n")

	// What is missing is made, and left.
	b.expect(0, "run", "--lock", b.file("made"), "n", "--", "true")
	if st, err := os.Stat(b.file("made")); err != nil || st.Size() != 0 {
		t.Errorf("%v, %v", st, err)
	}
}

// A lock file that somebody deletes or replaces is noticed and put back.
func TestDeletedLockFile(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(b *box, lock string){
		"deleted": func(b *box, lock string) { must(b, os.Remove(lock)) },
		"replaced by an empty file": func(b *box, lock string) {
			must(b, os.WriteFile(lock+".new", nil, 0o600))
			must(b, os.Rename(lock+".new", lock))
		},
		"moved away":        func(b *box, lock string) { must(b, os.Rename(lock, lock+".old")) },
		"directory deleted": func(b *box, _ string) { must(b, os.RemoveAll(b.dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			h := b.hold("n")
			run := b.status("n").Run
			harm(b, b.lockFile("n"))
			begin := time.Now()
			said, err := h.stderr.ReadString('\n')
			if took := time.Since(begin); err != nil || took > 5*time.Second {
				t.Fatalf("after %s: %q, %v", took, said, err)
			}
			mustContain(t, said, "sole: ", b.lockFile("n"), "deleted or replaced")
			if _, err := os.Lstat(b.lockFile("n")); err != nil {
				t.Errorf("it is not back: %v", err)
			}
			b.skips("n")
			st := b.status("n")
			if st.State != "held" || st.PID != h.Process.Pid || st.ChildPID != h.pid || st.Run != run || st.Orphaned {
				t.Errorf("status: %+v", st)
			}
			if o := h.release(); o.code != 0 {
				t.Errorf("end: %v", o)
			}
			for { // once
				line, err := h.stderr.ReadString('\n')
				if err != nil {
					break
				}
				if strings.Contains(line, "deleted or replaced") {
					t.Errorf("then it said %q", line)
				}
			}
			b.takes("n")
		})
	}
}

// A start at once after the deletion does not run beside the holder.
func TestStartAfterDeletion(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	young := b.hold("young") // its supervisor does not watch yet
	must(t, os.Remove(b.lockFile("young")))
	b.expect(0, "status", "young") // never "free" for a name that is held
	b.skips("young")
	b.expect(0, "status", "young")
	b.expect(75, "run", "--exec", "young", "--", "touch", b.file("witness"))
	b.notRun()

	old := b.hold("old")
	for b.status("old").Seconds < 1.5 { // it watches
		pause()
	}
	for range 20 {
		_ = os.Remove(b.lockFile("old")) // it may not be back yet
		b.skips("old")
	}
	b.eventually("the file is back", func() bool { return b.status("old").State == "held" })
	for _, h := range []*held{young, old} {
		h.release()
	}
	b.takes("young")
	b.takes("old")
}
