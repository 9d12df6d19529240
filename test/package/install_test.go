package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Debian package is installed, used, upgraded, removed and purged, the last three beside
// running jobs.
func TestInstalled(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	need(t, "dpkg", "man", "bash", "zsh", "fish", "flock", "strace")
	dir := os.Getenv(stageEnv)
	if dir == "" {
		stage(t)
		return
	}
	setStage(t)
	pkg := deb(dir, archOfHost)
	before := tree(t)

	dpkg(t, "-i", pkg)
	isInstalled(t)
	isUsable(t)
	pagesAreFound(t)
	completionsAreLoaded(t)

	job := hold(t, "sole", "nightly")
	upgrade(t, pkg)
	own := removeAndPurge(t, pkg)
	job.end(t)
	own.check(t)

	dpkg(t, "-i", pkg)
	said := dpkg(t, "-P", "sole")
	if strings.Contains(said, "is held") {
		t.Errorf("nothing is held any more: %s", said)
	}
	for path := range tree(t) {
		if !before[path] && !strings.HasPrefix(path, "/var/lib/systemd") {
			t.Errorf("%s is left", path)
		}
	}
}

// isInstalled checks what dpkg has made.
func isInstalled(t *testing.T) {
	t.Helper()
	if out := output(t, "dpkg", "--verify", "sole"); out != "" {
		t.Errorf("dpkg --verify: %s", out)
	}
	for path, want := range map[string]os.FileMode{"/var/lib/sole": 0o700, "/var/lib/sole-users": 0o755, "/usr/bin/sole": 0o755, "/usr/libexec/sole/sole-top": 0o755} {
		st, err := os.Stat(path)
		must(t, err)
		if st.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, st.Mode().Perm())
		}
	}
	contains(t, output(t, "sole", "version"), described)
	if _, out := code(t, "sole", "doctor"); strings.Contains(out, "unsafe") {
		t.Errorf("doctor: %s", out)
	}
}

// isUsable runs a job, a start that is skipped, and a list; the second run of a name is done
// before the Go runtime starts, which would ask for memory.
func isUsable(t *testing.T) {
	t.Helper()
	output(t, "sole", "run", "first", "--", "true")
	contains(t, output(t, "sole", "history", "first"), " ok ")
	contains(t, output(t, "sole", "top", "--once"), "first")
	// On an overlay nothing is done early, as on any filesystem that is not well known.
	names := t.TempDir()
	output(t, "sole", "run", "--dir", names, "first", "--", "true")
	trace := filepath.Join(t.TempDir(), "trace")
	output(t, "strace", "-o", trace, "-e", "trace=mmap", "sole", "run", "--dir", names, "first", "--", "true")
	calls, err := os.ReadFile(trace)
	must(t, err)
	if strings.Contains(string(calls), "mmap(") || len(calls) == 0 {
		t.Errorf("the early start is not in the program:\n%s", calls)
	}
	job := hold(t, "sole", "second")
	defer job.end(t)
	c, said := code(t, "sole", "run", "second", "--", "false")
	if c != 75 {
		t.Errorf("a second start: exit %d", c)
	}
	contains(t, said, "second is already running: pid ")
	contains(t, output(t, "sole", "ls"), "second  held")
}

// pagesAreFound reads the page of each command.
func pagesAreFound(t *testing.T) {
	t.Helper()
	pages := 0
	for line := range strings.Lines(output(t, "sole", "help")) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, "  ") || len(f) == 0 || line[2] == ' ' || strings.HasPrefix(f[0], "*") {
			continue
		}
		pages++
		contains(t, output(t, "man", "sole-"+f[0]), "SOLE-"+strings.ToUpper(f[0]))
	}
	if pages < 17 {
		t.Errorf("only %d commands are found in the help", pages)
	}
	contains(t, output(t, "man", "sole"), "sole-run(1)")
}

// completionsAreLoaded asks each shell, set up as its package does.
func completionsAreLoaded(t *testing.T) {
	t.Helper()
	for _, shell := range [][]string{
		{"bash", "--norc", "-c", `. /usr/share/bash-completion/bash_completion; _completion_loader sole; complete -p sole`},
		{"zsh", "-fc", `autoload -Uz compinit; compinit -u -D; echo $_comps[sole] sole`},
		{"fish", "-c", `complete -C 'sole stat'`},
	} {
		contains(t, output(t, shell[0], shell[1:]...), map[string]string{"bash": "_sole sole", "zsh": "_sole sole", "fish": "status"}[shell[0]])
	}
}

// upgrade installs the package over itself while the job nightly runs.
func upgrade(t *testing.T, pkg string) {
	t.Helper()
	before := inode(t, "/var/lib/sole/nightly.lock")
	dpkg(t, "-i", pkg)
	if inode(t, "/var/lib/sole/nightly.lock") != before {
		t.Error("an upgrade has replaced the lock file of a running job")
	}
	if c, said := code(t, "sole", "run", "nightly", "--", "false"); c != 75 {
		t.Errorf("a start after the upgrade: exit %d, %s", c, said)
	}
	contains(t, output(t, "sole", "status", "nightly"), "held", "run       1")
}

// late is a start by a program that is not the package's, waiting for a job that runs while
// the package is purged.
type late struct {
	waiter  *exec.Cmd
	witness string
}

// removeAndPurge does so while the job nightly runs and another waits for its end.
func removeAndPurge(t *testing.T, pkg string) *late {
	t.Helper()
	own := filepath.Join(t.TempDir(), "sole")
	output(t, "cp", "/usr/bin/sole", own)
	witness := filepath.Join(t.TempDir(), "witness")
	l := &late{exec.Command(own, "run", "--wait", "nightly", "--", "touch", witness), witness}
	must(t, l.waiter.Start())
	eventually(t, "it waits", func() bool {
		_, out := code(t, own, "status", "--json", "nightly")
		return strings.Contains(out, `"waiters": 1`)
	})
	dpkg(t, "-r", "sole")
	if _, err := os.Stat("/usr/bin/sole"); err == nil {
		t.Error("the program is still there")
	}
	for _, f := range []string{"nightly", "first"} {
		if _, err := os.Stat("/var/lib/sole/" + f + ".lock"); err != nil {
			t.Errorf("a removal has touched the names: %v", err)
		}
	}
	l.isHeld(t, own)
	dpkg(t, "-i", pkg)
	l.isHeld(t, "sole")

	contains(t, dpkg(t, "-P", "sole"), "nightly is held")
	if _, err := os.Stat("/var/lib/sole/first.lock"); err == nil {
		t.Error("a purge leaves the files of free names")
	}
	l.isHeld(t, own)
	return l
}

// isHeld checks that no start gets in beside the job.
func (l *late) isHeld(t *testing.T, program string) {
	t.Helper()
	if c, said := code(t, program, "run", "nightly", "--", "touch", l.witness); c != 75 {
		t.Errorf("a start beside the job: exit %d, %s", c, said)
	}
	if _, err := os.Stat(l.witness); err == nil {
		t.Error("two ran")
	}
}

// check waits for the one that waited: it had its turn.
func (l *late) check(t *testing.T) {
	t.Helper()
	if err := l.waiter.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.witness); err != nil {
		t.Error(err)
	}
}

func inode(t *testing.T, path string) string {
	t.Helper()
	return output(t, "stat", "-c", "%i", path)
}
