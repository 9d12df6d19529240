package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// scriptBox is a box whose scripts find sole in their PATH.
func scriptBox(t *testing.T, uid int) *box {
	t.Helper()
	b := newBoxFor(t, uid)
	b.env = append(b.env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	return b
}

// script writes a script with the words of sole script in its first line.
func (b *box) script(file, words, body string) string {
	b.Helper()
	path := b.file(file)
	must(b, os.MkdirAll(filepath.Dir(path), 0o755))
	must(b, os.WriteFile(path, []byte("#!/usr/bin/env -S sole script "+words+"\n"+body+"\n"), 0o755))
	return path
}

// heldName is the one name that is held.
func (b *box) heldName() string {
	b.Helper()
	names := strings.Fields(b.run("ls").stdout)
	if len(names) < 11 {
		b.Fatalf("no name is held: %q", names)
	}
	return names[10] // behind the headings
}

// However a script is started, one runs.
func TestScriptByEveryPath(t *testing.T) {
	t.Parallel()
	b := scriptBox(t, -1)
	path := b.script("with blanks/the job.sh", "sh", holdScript)
	dir := filepath.Dir(path)
	must(t, os.Symlink(path, b.file("link")))
	must(t, os.Symlink(dir, b.file("dirlink")))
	must(t, os.Link(path, b.file("hard")))
	in := func(dir string, words ...string) *exec.Cmd {
		c := b.command(words[0], words[1:]...)
		c.Dir = dir
		return c
	}
	byPATH := in("/", "/bin/sh", "-c", `PATH="$1:$PATH"; "the job.sh"`, "sh", dir)
	inPATH := in(dir, "/bin/sh", "-c", `PATH=:$PATH; "the job.sh"`)
	starts := map[string]func() *exec.Cmd{
		"absolute":          func() *exec.Cmd { return in("/", path) },
		"relative":          func() *exec.Cmd { return in(dir, "./the job.sh") },
		"from below":        func() *exec.Cmd { return in(dir, "../dirlink/../with blanks/the job.sh") },
		"symbolic link":     func() *exec.Cmd { return in("/", b.file("link")) },
		"link in the path":  func() *exec.Cmd { return in(b.work, "dirlink/the job.sh") },
		"linked directory":  func() *exec.Cmd { return in(b.file("dirlink"), "./the job.sh") },
		"hard link":         func() *exec.Cmd { return in("/", b.file("hard")) },
		"by PATH":           func() *exec.Cmd { c := *byPATH; return &c },
		"by an empty PATH":  func() *exec.Cmd { c := *inPATH; return &c },
		"without #! line":   func() *exec.Cmd { return in(dir, binary, "script", "sh", "the job.sh") },
		"the kernel's word": func() *exec.Cmd { return in("/", binary, "script sh -e", path) },
	}
	for first, start := range starts {
		h := b.start(start())
		for second, again := range starts {
			o := b.finish(again())
			if o.code != 75 || o.stdout != "" {
				t.Errorf("%s beside %s: %v", second, first, o)
			}
			if (first == "hard link") == (second == "hard link") { // one name
				mustContain(t, o.stderr, "already running")
			}
		}
		if o := h.release(); o.code != 0 {
			t.Errorf("%s: %v", first, o)
		}
	}
}

// An editor that replaces the file, one that writes into it, and a deletion let no second one run.
func TestScriptIsChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(b *box, path string){
		"replaced": func(b *box, path string) {
			must(b, os.Rename(b.script("new", "sh", "touch witness"), path))
		},
		"written to": func(b *box, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			must(b, err)
			_, err = f.WriteString("# more\n")
			must(b, err)
			must(b, f.Close())
		},
		"deleted and made anew": func(b *box, path string) {
			must(b, os.Remove(path))
			b.script("job", "sh", "touch witness")
		},
		"moved away, another in its place": func(b *box, path string) {
			must(b, os.Rename(path, path+".old"))
			b.script("job", "sh", "touch witness")
			if o := b.finish(b.command(path + ".old")); o.code != 75 { // the same file
				b.Errorf("by its new name: %v", o)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := scriptBox(t, -1)
			path := b.script("job", "sh", holdScript)
			h := b.start(b.command(path))
			change(b, path)
			o := b.finish(b.command(path))
			if o.code != 75 {
				t.Errorf("a second start: %v", o)
			}
			mustContain(t, o.stderr, "already running", fmt.Sprintf("pid %d ", h.Process.Pid))
			b.notRun()
			if o := h.release(); o.code != 0 {
				t.Error(o)
			}
			if o := b.finish(b.command(binary, "script", "true", path)); o.code != 0 {
				t.Errorf("afterwards: %v", o)
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		b := scriptBox(t, -1)
		path := b.script("job", "sh", holdScript)
		h := b.start(b.command(path))
		must(t, os.Remove(path))
		if o := b.finish(b.command(binary, "script", "sh", path)); o.code != 127 {
			t.Error(o)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("sole made a script")
		}
		h.release()
	})
}

// flock -n on the script excludes it and is excluded by it; so are the starts of other users.
func TestScriptWithFlock(t *testing.T) {
	t.Parallel()
	flock := need(t, "flock", "util-linux")
	b := scriptBox(t, -1)
	path := b.script("job", "sh", holdScript)
	h := b.start(b.command(path))
	if o := b.finish(b.command(flock, "-n", path, "true")); o.code != 1 {
		t.Errorf("flock beside it: %v", o)
	}
	h.release()
	f := b.start(b.command(flock, "-n", "-F", path, "sh", "-c", holdScript))
	o := b.finish(b.command(path))
	if o.code != 75 {
		t.Error(o)
	}
	mustContain(t, o.stderr, path+" is locked: pid "+fmt.Sprint(f.Process.Pid))
	f.release()

	// The idiom of flock's manual, in the script that runs beside it.
	idiom := `[ "$FLOCKER" != "$0" ] && exec env FLOCKER="$0" flock -en "$0" "$0" "$@"`
	must(t, os.Chmod(b.work, 0o755))
	must(t, os.WriteFile(b.file("old"), []byte("#!/bin/sh\n"+idiom+"\n"+holdScript+"\n"), 0o755))
	f = b.start(b.command(b.file("old")))
	if o := b.finish(b.command(binary, "script", "sh", b.file("old"))); o.code != 75 {
		t.Errorf("sole script beside the idiom: %v", o)
	}
	f.release()
}

// Anybody may run a script of root's that he may read; one at a time, whoever it is.
func TestScriptOfSomebodyElse(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := scriptBox(t, -1)
	must(t, os.Chmod(b.work, 0o755))
	path := b.script("job", "sh", holdScript)
	must(t, os.Chmod(path, 0o555))
	other := scriptBox(t, nobody)
	h := other.start(other.command(path))
	if o := b.finish(b.command(path)); o.code != 75 {
		t.Errorf("root beside nobody: %v", o)
	}
	if o := other.finish(other.command(path)); o.code != 75 {
		t.Errorf("nobody beside nobody: %v", o)
	}
	if o := h.release(); o.code != 0 {
		t.Error(o)
	}
	h = b.start(b.command(path))
	if o := other.finish(other.command(path)); o.code != 75 {
		t.Errorf("nobody beside root: %v", o)
	}
	h.release()

	must(t, os.Chmod(path, 0o711)) // a script that he may not read
	o := other.finish(other.command(binary, "script", "sh", path))
	if o.code != 126 {
		t.Error(o)
	}
	mustContain(t, o.stderr, "cannot read "+path)
}

// Flags of sole, options of the interpreter, and arguments of the user find their places.
func TestScriptWords(t *testing.T) {
	t.Parallel()
	need(t, "bash", "bash")
	for words, want := range map[string]string{
		"sh":                                 "[a b] [--] [-x] ",
		"bash -eu":                           "[a b] [--] [-x] ",
		"bash -eu --":                        "[a b] [--] [-x] ",
		"--wait -E 0 bash -eu":               "[a b] [--] [-x] ",
		"-qE0 --max-time=1h --grace 1s bash": "[a b] [--] [-x] ",
		"-- bash -eu -o pipefail --":         "[a b] [--] [-x] ",
		"--exec -- bash -o pipefail --":      "[a b] [--] [-x] ",
		"-- env FOO=1 sh --":                 "[a b] [--] [-x] ",
		"--name chosen sh":                   "[a b] [--] [-x] ",
		"-s --jitter 1ms sh":                 "[a b] [--] [-x] ",
		"--slots 2 sh":                       "[a b] [--] [-x] ",
	} {
		b := scriptBox(t, -1)
		path := b.script("job", words, `printf "[%s] " "$@"; case $SOLE_NAME in job-*|chosen) ;; *) exit 9; esac; exit 3`)
		if o := b.finish(b.command(path, "a b", "--", "-x")); o.code != 3 || o.stdout != want {
			t.Errorf("%q: %v", words, o)
		}
	}
	b := scriptBox(t, -1)
	path := b.script("job", "sh", "touch witness")
	for _, bad := range []struct {
		code int
		args []string
		says string
	}{
		{64, nil, "an interpreter is missing"},
		{64, []string{""}, "an interpreter is missing"},
		{64, []string{"--"}, "no second --"},
		{64, []string{"--", "sh", path}, "no second --"},
		{64, []string{"--", "--", path}, "an interpreter is missing"},
		{64, []string{"--", "sh", "--"}, "there is no script behind sh"},
		{64, []string{"sh"}, "there is no script behind sh"},
		{64, []string{"sh", "-e"}, "there is no script behind sh -e"},
		{64, []string{"sh", ""}, "there is no script behind sh"},
		{64, []string{"--wait=x", "sh", path}, "a duration is like"},
		{64, []string{"--exec", "--max-time", "1s", "sh", path}, "contradict"},
		{64, []string{"--name", "a/b", "sh", path}, "is not a name"},
		{64, []string{"--name", "", "sh", path}, "is not a name"},
		{127, []string{"bash", "-o", "pipefail", path}, "sole script -- INTERPRETER"},
		{127, []string{"sh", path + "/x"}, "cannot find"},
		{126, []string{"sh", strings.Repeat("x", 5000)}, "cannot find"},
		{77, []string{"sh", "/dev/null"}, "neither a file"},
		{127, []string{"no-such-interpreter", path}, "no command no-such-interpreter"},
	} {
		o := b.expect(bad.code, append([]string{"script"}, bad.args...)...)
		mustContain(t, o.stderr, bad.says)
	}
	b.notRun()
	b.finish(b.command(binary, "script sh", path))
	if _, err := os.Lstat(b.file("witness")); err != nil {
		t.Error("one word of the kernel's was not taken apart")
	}
}

// The other commands reach a script by its name, and the name says which script it is.
func TestScriptIsReached(t *testing.T) {
	t.Parallel()
	b := scriptBox(t, -1)
	path := b.script("backup.sh", "sh", holdScript)
	h := b.start(b.command(path, "x"))
	n := b.heldName()
	if !strings.HasPrefix(n, "backup.sh-") {
		t.Errorf("the name is %s", n)
	}
	var st status
	b.eventually("its command is written down", func() bool { st = b.status(n); return st.ChildPID != 0 })
	if st.PID != h.Process.Pid || st.ChildPID != h.pid || strings.Join(st.Command, " ") != "sh "+path+" x" {
		t.Errorf("%+v", st)
	}
	w := b.launch(b.sole("script", "--wait", "sh", "-c", path)) // -c: what runs is of no interest
	b.waiters(n, 1)
	b.expect(0, "stop", n)
	h.wait()
	w.wait()

	// The newest wins.
	h = b.start(b.command(path))
	next := b.start(b.command(binary, "script", "--replace", "sh", path))
	if o := h.wait(); o.signal != syscall.SIGTERM {
		t.Error(o)
	}
	if st := b.status(n); st.PID != next.Process.Pid {
		t.Errorf("%+v", st)
	}
	b.expect(0, "stop", n)
	next.wait()

	// One that starts itself runs already, and would wait for itself.
	for words, code := range map[string]string{"sh": "75", "--wait sh": "78"} {
		again := b.script("again", words, `[ -n "$INNER" ] || { export INNER=1; "$0"; echo "code $?"; }`)
		if o := b.finish(b.command(again)); o.code != 0 || o.stdout != "code "+code+"\n" {
			t.Errorf("%s: %v", words, o)
		}
	}

	// A script that holds itself can be the command of a run that has no name.
	quick := b.script("quick", "sh", "echo ran")
	if o := b.expect(0, "run", "--", quick); o.stdout != "ran\n" {
		t.Error(o)
	}
}
