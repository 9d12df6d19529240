package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A stage is a root directory in which jobs of a crontab can run: shells, sole and the guards
// are real, all other programs write down how they were called.
type stage struct {
	*testing.T
	root    string
	unshare string
	chroot  string
}

// stub says with which words, input and exit code it was called. It prints something, so that
// pipes and files have contents.
const stub = `#!/bin/sh
line="${0##*/}" in=
for a; do line="$line <$a>"; done
while IFS= read -r x || [ -n "$x" ]; do in="$in$x/"; x=; done 2>/dev/null
printf '%s in=%s at=%s A=%s C=%s umask=%s\n' "$line" "$in" "$PWD" "$A" "$C" "$(umask)" >>/called
echo "output of ${0##*/}"
read -r code </code
exit "$code"
`

// passes starts its command, without the options before it.
const passes = `#!/bin/sh
while case $1 in -u) shift 2;; -*) shift;; *) false;; esac; do :; done
exec "$@"
`

func newStage(t *testing.T, commands []string) *stage {
	needRoot(t)
	s := &stage{T: t, root: t.TempDir(), unshare: need(t, "unshare", "util-linux"), chroot: need(t, "chroot", "coreutils")}
	for _, dir := range []string{"usr/bin", "usr/local/bin", "lib64", "proc", "dev", "tmp", "root", "var/lib", "run/lock", "var/lock", "var/log"} {
		must(t, os.MkdirAll(filepath.Join(s.root, dir), 0o755))
	}
	must(t, os.Symlink("usr/bin", s.file("/bin")))
	must(t, syscall.Mknod(s.file("/dev/null"), syscall.S_IFCHR|0o666, 1<<8|3))
	real := map[string]string{"sh": "dash", "zsh": "dash", "bash": "bash"}
	for _, p := range []string{"env", "nice", "ionice", "timeout", "flock", "lckdo", "setlock", "chpst", "with-lock-ex"} {
		real[p] = p
	}
	for name, program := range real {
		s.install("/usr/bin/"+name, program)
	}
	s.copy("/usr/bin/sole", binary)
	for _, p := range []string{"run-one", "run-this-one", "sudo"} {
		s.write("/usr/bin/"+p, passes)
	}
	s.props(commands)
	return s
}

func (s *stage) file(path string) string { return filepath.Join(s.root, path) }

func (s *stage) write(path, text string) {
	must(s, os.MkdirAll(filepath.Dir(s.file(path)), 0o755))
	must(s, os.WriteFile(s.file(path), []byte(text), 0o755))
}

func (s *stage) copy(path, from string) {
	text, err := os.ReadFile(from)
	must(s, err)
	s.write(path, string(text))
}

var library = regexp.MustCompile(`/\S+`)

// install copies a program, and the libraries that it needs.
func (s *stage) install(path, program string) {
	from := need(s.T, program, program)
	s.copy(path, from)
	out, err := exec.Command("ldd", from).Output()
	must(s, err)
	for _, lib := range library.FindAllString(string(out), -1) {
		if _, err := os.Stat(s.file(lib)); err != nil {
			s.copy(lib, lib)
		}
	}
}

var (
	wordLike  = regexp.MustCompile(`[A-Za-z0-9_./+@-]+`)
	afterCd   = regexp.MustCompile(`\bcd +(/[^\s;&'")]+)`)
	wordQuote = strings.NewReplacer(`\%`, `%`)
)

// props makes a directory of what the commands change to, and a stub of everything else that
// could be a program in them, be it a builtin of the shell.
func (s *stage) props(commands []string) {
	dirs := []string{"/root"}
	for _, c := range commands {
		for _, m := range afterCd.FindAllStringSubmatch(c, -1) {
			dirs = append(dirs, m[1])
		}
	}
	for _, dir := range dirs {
		must(s, os.MkdirAll(s.file(dir), 0o755))
	}
	for _, c := range commands {
		for _, w := range wordLike.FindAllString(wordQuote.Replace(c), -1) {
			s.prop(w, dirs)
		}
	}
	s.prop("/opt/jobs/with space.sh", nil)
}

func (s *stage) prop(w string, dirs []string) {
	switch {
	case strings.HasPrefix(w, "/dev/"), strings.HasPrefix(w, "/tmp/"), strings.HasPrefix(w, "/proc/"),
		strings.HasPrefix(w, "/run/lock/"), strings.HasPrefix(w, "/var/lock/"), strings.HasPrefix(w, "/var/log/"), w[0] == '-', w == ".", len(w) > 200:
		return
	case strings.HasPrefix(w, "./"):
		for _, dir := range dirs {
			s.stub(filepath.Join(dir, w))
		}
	case w[0] == '/' && w[len(w)-1] == '/':
		must(s, os.MkdirAll(s.file(w), 0o755))
	case w[0] == '/':
		s.stub(w)
		s.stub("/usr/bin/" + filepath.Base(w))
	case !strings.Contains(w, "/"):
		s.stub("/usr/bin/" + w)
	}
}

// stub writes one unless something is there.
func (s *stage) stub(path string) {
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if st, err := os.Stat(s.file(dir)); err == nil && !st.IsDir() {
			must(s, os.Remove(s.file(dir)))
		}
	}
	if _, err := os.Lstat(s.file(path)); err != nil {
		s.write(path, stub)
	}
}

var guardSays = regexp.MustCompile(`(?m)^(sole|flock): .*\n`)

// performance is what came of a job.
type performance struct {
	called []string
	out    string
	code   int
}

func (p performance) String() string {
	return fmt.Sprintf("%q, printed %q, code %d", p.called, p.out, p.code)
}

// play runs a command as cron does, with its standard input.
func (s *stage) play(shell, command, input string, code int) performance {
	s.write("/code", fmt.Sprintln(code))
	must(s, os.RemoveAll(s.file("/called")))
	c := exec.Command(s.unshare, "-m", "sh", "-c",
		`mount --bind /proc "$1/proc" && exec "$2" "$1" /bin/sh -c 'cd /root; exec "$1" -c "$2"' sh "$3" "$4"`,
		"sh", s.root, s.chroot, shell, command)
	c.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LOGNAME=root", "SHELL=" + shell}
	c.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	// Whatever is in the background still has this pipe.
	end, alive, err := os.Pipe()
	must(s, err)
	c.ExtraFiles = []*os.File{alive}
	must(s, c.Start())
	alive.Close()
	_ = c.Wait()
	_, err = io.ReadAll(end)
	must(s, err)
	end.Close()
	log, _ := os.ReadFile(s.file("/called"))
	// What guards say is not what jobs say.
	said := guardSays.ReplaceAllString(out.String(), "")
	p := performance{called: strings.Split(string(log), "\n"), out: said, code: c.ProcessState.ExitCode()}
	if strings.ContainsAny(command, "|&") { // at the same time, in any order
		slices.Sort(p.called)
		lines := strings.Split(p.out, "\n")
		slices.Sort(lines)
		p.out = strings.Join(lines, "\n")
	}
	return p
}
