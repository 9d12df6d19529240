package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/record"
)

// What is done before the Go runtime starts (internal/early) has to be what the ordinary
// code does: each case is run with the program as `make` builds it, and with one that is
// linked without the early entry point.

// earlyCase is one start of sole, and what is there before.
type earlyCase struct {
	name string
	// before prepares the box; the name n has run once there.
	before func(b *box)
	// under is a shell script that ends with exec "$@", "" for none.
	under string
	// args of sole; without any: run n -- sh -c show.
	args []string
	env  []string
	// unset are variables to leave out.
	unset []string
	user  bool // as nobody
	// early is whether the start needs no Go runtime.
	early bool
}

// show says what a command is given.
const show = `env | grep -v ^_= | sort; echo; umask; ulimit -n; grep -E '^Sig(Blk|Ign|Pnd)|^NoNew' /proc/self/status; pwd
echo "$0 $*"; for f in /proc/$$/fd/*; do readlink $f; done | sed 's/[0-9]\{4,\}/N/' | sort -u`

func TestEarlyDoesTheSame(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, c := range earlyCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want, wantFile, _ := c.run(t, plainBinary)
			got, gotFile, entered := c.run(t, binary)
			if got != want {
				t.Errorf("what differs (- wanted, + got):\n%s", difference(want, got))
			}
			if gotFile != wantFile {
				t.Errorf("the lock file:\ngot  %s\nwant %s", gotFile, wantFile)
			}
			if entered != c.early {
				t.Errorf("early: %v, want %v", entered, c.early)
			}
		})
	}
}

// goRuntime is in the path of a file that the Go runtime, and no other, reads at its start.
const goRuntime = "hpage_pmd_size"

// run makes the start, and returns what came of it, without what differs each time.
func (c *earlyCase) run(t *testing.T, bin string) (said, file string, early bool) {
	t.Helper()
	uid := -1
	if c.user {
		uid = nobody
	}
	b := newBoxFor(t, uid)
	b.bin = bin
	b.warm("n")
	if c.before != nil {
		c.before(b)
	}
	trace := b.file("trace")
	words := []string{bin}
	if c.args == nil {
		words = append(words, "run", "n", "--", "sh", "-c", show, "arg0", "a b")
	}
	words = append(words, c.args...)
	if c.under != "" {
		words = append([]string{"bash", "-c", c.under, "bash"}, words...)
	}
	strace := []string{"-f", "--seccomp-bpf", "-qq", "-e", "trace=openat", "-e", "signal=none", "-o", trace, "--"}
	cmd := b.command(need(t, "strace", "strace"), append(strace, words...)...)
	for _, v := range c.env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(v, "@", b.dir))
	}
	cmd.Env = without(cmd.Env, c.unset)
	cmd.Stdin = strings.NewReader("")
	o := b.finish(cmd)
	calls, err := os.ReadFile(trace)
	must(t, err)
	early = !strings.Contains(string(calls), goRuntime)
	return normal(b, bin, o.String()), normal(b, bin, b.lockFileSays()+b.historySays()), early
}

// without removes variables, and what later ones replace.
func without(env, names []string) []string {
	last := map[string]int{}
	for i, v := range env {
		k, _, _ := strings.Cut(v, "=")
		last[k] = i
	}
	for _, n := range names {
		delete(last, n)
	}
	var kept []string
	for i, v := range env {
		k, _, _ := strings.Cut(v, "=")
		if at, ok := last[k]; ok && at == i {
			kept = append(kept, v)
		}
	}
	return kept
}

// difference lists the lines that only one of the two has.
func difference(want, got string) string {
	var b strings.Builder
	split := func(s string) []string { return strings.Split(strings.ReplaceAll(s, `\n`, "\n"), "\n") }
	for _, l := range split(want) {
		if !slices.Contains(split(got), l) {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	for _, l := range split(got) {
		if !slices.Contains(split(want), l) {
			fmt.Fprintf(&b, "+ %s\n", l)
		}
	}
	return b.String()
}

var changing = regexp.MustCompile(`pid \d+|\(\d+s\)|:\d\d:\d\d`)

func normal(b *box, bin, s string) string {
	s = strings.ReplaceAll(s, b.work, "WORK")
	s = strings.ReplaceAll(s, bin, "SOLE")
	return changing.ReplaceAllStringFunc(s, func(m string) string {
		return regexp.MustCompile(`\d+`).ReplaceAllString(m, "N")
	})
}

// lockFileSays is the lock file of n without what differs each time.
func (b *box) lockFileSays() string {
	data, err := os.ReadFile(b.lockFile("n"))
	if err != nil {
		return fmt.Sprint(errors.Is(err, fs.ErrNotExist), err)
	}
	head, headErr := record.DecodeHeader(data)
	r, state, recErr := record.Decode(data[min(len(data), record.HeaderSize):])
	if r.Omitted > 0 || r.Cut { // where it ends depends on how long the pids are
		r.Command, r.Omitted = r.Command[:min(len(r.Command), 50)], 1
		last := &r.Command[len(r.Command)-1]
		*last = (*last)[:min(len(*last), 16)]
	}
	if len(r.Cwd) == 200 { // cut
		r.Cwd = "long"
	}
	return fmt.Sprintf("%d bytes, limit %d %v, %v %d run %d, pid %v child %v, uid %d, skips from %d, %s, cwd %s, %q cut %v more %d unmarked %v",
		len(data), head.Limit, headErr, recErr, state, r.Run, r.Holder.PID != 0, r.Child.PID != 0, r.UID, r.SkipsFrom, r.Method,
		r.Cwd, r.Command, r.Cut, r.Omitted, r.Unmarked)
}

// edit changes the lock file's bytes.
func edit(change func(data []byte) []byte) func(*box) {
	return func(b *box) {
		data, err := os.ReadFile(b.lockFile("n"))
		must(b, err)
		must(b, os.WriteFile(b.lockFile("n"), change(data), 0o600))
	}
}

// rewrite changes the record.
func rewrite(change func(r *record.Record, state *record.State)) func(*box) {
	return edit(func(data []byte) []byte {
		r, state, err := record.Decode(data[record.HeaderSize:])
		if err != nil {
			panic(err)
		}
		change(&r, &state)
		return append(data[:record.HeaderSize:record.HeaderSize], r.Encode(nil, state)...)
	})
}

func earlyCases() []earlyCase {
	run := func(words ...string) []string { return append([]string{"run"}, words...) }
	cases := []earlyCase{
		{name: "plain", early: true},
		{name: "no dashes", args: run("n", "echo", "x"), early: true},
		{name: "exec", args: run("--exec", "n", "--", "sh", "-c", show), early: true},
		{name: "quiet", args: run("-q", "--quiet", "-E", "3", "-E4", "--busy-exit", "5", "--busy-exit=6", "n", "--", "true"), early: true},
		{name: "--dir", env: []string{"SOLE_DIR=/nonexistent"}, under: `exec "$1" "$2" --dir "$PWD/names" "${@:3}"`, early: true},
		{name: "--dir=", env: []string{"SOLE_DIR=/nonexistent"}, under: `exec "$1" "$2" --dir="$PWD/names" "${@:3}"`, early: true},
		{name: "SOLE_HELD", env: []string{"SOLE_HELD=a b", "SOLE_NAME=x", "SOLE_RUN=9", "SOLE_SLOT=1", "SOLE_TOKEN=2", "SOLE_TICK=3"}, early: true},
		{name: "GODEBUG", env: []string{"GODEBUG=gctrace=0"}},
		{name: "odd variables", under: `exec env -i "SOLE_DIR=$SOLE_DIR" PATH="$PATH" =x=y a= "$@"`},
		{name: "variable twice", under: `exec python3 -c 'import os,sys,signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL); signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execve(sys.argv[1], sys.argv[1:], type("E",(dict,),{})(os.environ))' "$@"`, early: true},
		{name: "umask", under: `umask 027; exec "$@"`, early: true},
		{name: "ignored", under: `trap "" HUP INT; exec "$@"`, early: true},
		{name: "children ignored", under: `exec python3 -c 'import os,sys,signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL); signal.signal(signal.SIGXFSZ, signal.SIG_DFL); signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$@"`},
		{name: "few descriptors", under: `ulimit -Sn 20; exec "$@"`},
		{name: "very few", under: `ulimit -n 5; exec "$@"`},
		{name: "no file may grow", under: `ulimit -f 0; exec "$@"`, args: run("n", "--", "echo", "x")},
		{name: "the file may not grow", under: `ulimit -f 1; exec "$@"`, args: run("n", "--", "echo", "x")},
		{name: "stdin closed", under: `exec "$@" <&-`},
		{name: "stdout closed", under: `exec "$@" >&-`},
		{name: "stderr closed", under: `exec "$@" 2>&-`},
		{name: "no tmp", under: `cd /proc; exec "$@"`, early: true},
		{name: "directory gone", under: `mkdir gone; cd gone; rmdir ../gone; exec "$@"`, args: run("n", "/bin/echo", "x"), early: true},
		{name: "PWD by a link", under: `ln -s "$PWD" link; cd link; exec "$@"`, early: true},
		{name: "PWD wrong", under: `export PWD=/usr; exec "$@"`, early: true},
		{name: "PWD wrong, in a long path", under: `d=$(printf %0200d); for i in 1 2 3 4 5 6; do mkdir $d; cd -P $d; done; export PWD=/usr; exec "$@"`, args: run("n", "--", "echo", "x")},
		{name: "PWD in a long path", under: `d=$(printf %0200d); for i in 1 2 3 4 5 6; do mkdir $d; cd $d; done; exec "$@"`, args: run("n", "--", "echo", "x"), early: true},
		{name: "PWD missing", unset: []string{"PWD"}, early: true},

		{name: "not found", args: run("n", "--", "no-such-command")},
		{name: "PATH unset", unset: []string{"PATH"}, args: run("n", "--", "true"), early: true},
		{name: "PATH empty", env: []string{"PATH="}, args: run("n", "--", "true")},
		{name: "PATH odd", env: []string{"PATH=:/nonexistent::/etc/passwd:/bin"}, args: run("n", "--", "/bin/true"), early: true},
		{name: "PATH here", env: []string{"PATH=:/bin"}, before: script("tool", "#!/bin/sh\necho here", 0o755), args: run("n", "--", "tool"), early: true},
		{name: "PATH past one that may not run", env: []string{"PATH=/etc:@/..:/bin:/usr/bin"}, before: script("env", "#!/bin/sh\necho no", 0o644), args: run("n", "--", "env", "true"), early: true},
		{name: "relative", before: script("tool", "#!/bin/sh\necho here $0", 0o755), args: run("n", "--", "./tool"), early: true},
		{name: "not executable", before: script("tool", "#!/bin/sh\n", 0o644), args: run("n", "--", "./tool")},
		{name: "directory", args: run("n", "--", "/")},
		{name: "no first line", before: script("tool", "echo shell $0 $1\n", 0o755), args: run("n", "--", "./tool", "x")},
		{name: "no first line, exec", before: script("tool", "echo shell $0 $1\n", 0o755), args: run("--exec", "n", "--", "./tool", "x")},
		{name: "no interpreter", before: script("tool", "#!/nonexistent\n", 0o755), args: run("n", "--", "./tool")},
		{name: "no interpreter, exec", before: script("tool", "#!/nonexistent\n", 0o755), args: run("--exec", "n", "--", "./tool")},

		{name: "unknown flag", args: run("--nonsense", "n", "--", "true")},
		{name: "joined flags", args: run("-qE5", "n", "--", "true")},
		{name: "no name", args: run("--", "true")},
		{name: "no command", args: run("n")},
		{name: "no command behind --", args: run("n", "--")},
		{name: "empty command", args: run("n", "--", "")},
		{name: "bad name", args: run("n/m", "--", "true")},
		{name: "empty name", args: run("", "--", "true")},
		{name: "bad -E", args: run("-E", "256", "n", "--", "true")},
		{name: "no -E", args: run("-E")},
		{name: "odd -E", args: run("-E", "+1", "n", "--", "true")},
		{name: "empty --dir", args: run("--dir=", "n", "--", "true")},
		{name: "wait", args: run("--wait", "n", "--", "true")},
		{name: "flags behind the name", args: run("n", "-q", "--", "true")},
		{name: "two dashes twice", args: run("n", "--", "--", "true")},
		{name: "help", args: run("--help")},
		{name: "no words at all", args: []string{}},
		{name: "an empty word", args: run("n", "--", "printf", "[%s]", "", "a b", "\\", "é\n"), early: true},
		{name: "many words", args: run(append([]string{"n", "--", "echo"}, strings.Fields(strings.Repeat("word ", 200))...)...), early: true},
		{name: "too many words", args: run(append([]string{"n", "--", "echo"}, strings.Fields(strings.Repeat("word ", 300))...)...)},
		{name: "a long word", args: run("n", "--", "sh", "-c", "echo ${#1}", "sh", strings.Repeat("x", 100_000)), early: true},
		{name: "control characters", args: run("n", "--", "true", strings.Repeat("\n", 300), strings.Repeat("\x01", 300)), early: true},
		{name: "many variables", env: variables(200), early: true},
		{name: "too many variables", env: variables(300)},

		{name: "first run", before: func(b *box) { must(b, os.Remove(b.lockFile("n"))) }},
		{name: "no directory", before: func(b *box) { must(b, os.RemoveAll(b.dir)) }},
		{name: "empty file", before: edit(func([]byte) []byte { return nil })},
		{name: "short file", before: edit(func(d []byte) []byte { return d[:1000] })},
		{name: "damaged record", before: edit(func(d []byte) []byte { d[800] ^= 1; return d })},
		{name: "damaged header", before: edit(func(d []byte) []byte { d[100] ^= 1; return d })},
		{name: "newer record", before: edit(func(d []byte) []byte { copy(d[512:], "sole-record 2 "); return d })},
		{name: "newer header", before: edit(func(d []byte) []byte { copy(d, "sole-lock 2\n"); return d })},
		{name: "other boot", before: rewrite(func(r *record.Record, _ *record.State) { r.Place.Boot[0] ^= 1 })},
		{name: "other namespace", before: rewrite(func(r *record.Record, _ *record.State) { r.Place.PIDs++ }), early: true},
		{name: "killed elsewhere", before: rewrite(func(r *record.Record, s *record.State) { r.Place.PIDs++; *s = record.Held })},
		{name: "killed", before: rewrite(func(_ *record.Record, s *record.State) { *s = record.Held }), early: true},
		{name: "killed, alive", before: rewrite(func(r *record.Record, s *record.State) {
			*s, r.Holder.PID, r.Holder.Inode, r.Holder.Start = record.Held, os.Getpid(), 0, 1
		})},
		{name: "limit", before: rewrite(func(r *record.Record, _ *record.State) { r.Run = 17 })},
		{name: "one below the limit", before: rewrite(func(r *record.Record, _ *record.State) { r.Run = 16 }), early: true},
		{name: "last run", before: rewrite(func(r *record.Record, _ *record.State) { r.Run = record.LastRun - 1 })},
		{name: "skips before", before: func(b *box) { appendTo(b, 5) }, early: true},
		{name: "many skips", before: func(b *box) { appendTo(b, 1<<20+1) }},

		{name: "somebody waits", before: func(b *box) {
			f, err := os.OpenFile(b.lockFile("n"), os.O_RDWR, 0)
			must(b, err)
			b.Cleanup(func() { f.Close() })
			mark := unix.Flock_t{Type: unix.F_RDLCK, Start: record.WaiterMarks + 1, Len: 1}
			must(b, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &mark))
		}},
		{name: "file of others", before: func(b *box) { must(b, os.Chown(b.lockFile("n"), 12345, 0)) }},
		{name: "file of nobody's is theirs", user: true, early: true},
		{name: "writable file", before: func(b *box) { must(b, os.Chmod(b.lockFile("n"), 0o622)) }},
		{name: "linked file", before: func(b *box) { must(b, os.Link(b.lockFile("n"), b.file("other"))) }},
		{name: "symbolic link", before: func(b *box) {
			must(b, os.Rename(b.lockFile("n"), b.file("other")))
			must(b, os.Symlink(b.file("other"), b.lockFile("n")))
		}},
		{name: "writable directory", before: func(b *box) { must(b, os.Chmod(b.dir, 0o777)) }},
		{name: "sticky directory", before: func(b *box) { must(b, os.Chmod(b.dir, 0o777|os.ModeSticky)) }, early: true},
		{name: "directory of others", before: func(b *box) { must(b, os.Chown(b.dir, 12345, 0)) }},
		{name: "SOLE_DIR relative", env: []string{"SOLE_DIR=names"}},
		{name: "SOLE_DIR with a slash", env: []string{"SOLE_DIR=@/"}},
		{name: "SOLE_DIR with dots", env: []string{"SOLE_DIR=@/../names"}},
		{name: "SOLE_DIR with two slashes", env: []string{"SOLE_DIR=/@"}},
		{name: "SOLE_DIR by a link", before: func(b *box) {
			must(b, os.Rename(b.dir, b.dir+"2"))
			must(b, os.Symlink(b.dir+"2", b.dir))
		}},
		{name: "nobody without a home", user: true, env: []string{"SOLE_DIR="}, args: run("n", "--", "true")},
		{name: "read-only", under: `exec unshare -m sh -c 'mount --bind "$SOLE_DIR" "$SOLE_DIR"; mount -o remount,bind,ro "$SOLE_DIR"; exec "$@"' sh "$@"`},
		{name: "blocked signals", under: `exec python3 -c 'import os,sys,signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL); signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD})
os.execv(sys.argv[1], sys.argv[1:])' "$@"`, early: true},
		{name: "pid 1", under: `exec unshare -p -f -m --mount-proc "$@"`, args: run("n", "--", "sh", "-c", "exit 5"), early: true},
	}
	for _, code := range []int{0, 1, 75, 126, 127, 128, 255} {
		cases = append(cases, earlyCase{name: fmt.Sprint("exit ", code), args: run("n", "--", "sh", "-c", fmt.Sprint("exit ", code)), early: true})
	}
	for _, sig := range []int{1, 2, 3, 6, 9, 10, 11, 13, 14, 15, 34, 40, 64} {
		cases = append(cases, earlyCase{name: fmt.Sprint("signal ", sig), args: run("n", "--", "sh", "-c", fmt.Sprintf("kill -%d $$", sig)), early: true})
	}
	return cases
}

func script(name, text string, mode os.FileMode) func(*box) {
	return func(b *box) {
		must(b, os.WriteFile(b.file(name), []byte(text), mode))
		must(b, os.Chmod(b.file(name), mode))
	}
}

func variables(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("VARIABLE_%d=%d", i, i))
	}
	return all
}

func appendTo(b *box, n int) {
	f, err := os.OpenFile(b.lockFile("n"), os.O_APPEND|os.O_WRONLY, 0)
	must(b, err)
	defer f.Close()
	_, err = f.WriteString(strings.Repeat("s", n))
	must(b, err)
}

// A skip says the same, whoever says it.
func TestEarlySkipSaysTheSame(t *testing.T) {
	t.Parallel()
	needRoot(t)
	long := strings.Repeat("word ", 20)
	for _, c := range []struct {
		name  string
		hold  []string // the holder's command, before the pid
		flags []string
		env   []string
		user  bool
		early bool
	}{
		{name: "plain", early: true},
		{name: "quiet", flags: []string{"-q"}, early: true},
		{name: "code", flags: []string{"-E", "3"}, early: true},
		{name: "code 0", flags: []string{"--busy-exit=0", "-q"}, early: true},
		{name: "exec", flags: []string{"--exec"}, early: true},
		{name: "quotes", hold: []string{"it's", "", "a b", "$x", "*", "~", "x=1,2@%+:./-_", `"`}, early: true},
		{name: "long", hold: strings.Fields(long), early: true},
		{name: "59 characters", hold: []string{strings.Repeat("x", 57)}, early: true},
		{name: "60 characters", hold: []string{strings.Repeat("x", 58)}, early: true},
		{name: "61 characters", hold: []string{strings.Repeat("x", 59)}, early: true},
		{name: "too long for the record", hold: []string{strings.Repeat("x", 3000), "y"}},
		{name: "not ASCII", hold: []string{"é"}},
		{name: "backslash", hold: []string{`a\b`}},
		{name: "control", hold: []string{"a\nb"}},
		{name: "as nobody", user: true, early: true},
		{name: "UTC", env: []string{"TZ="}, early: true},
		{name: "UTC by name", env: []string{"TZ=UTC"}, early: true},
		{name: "Berlin", env: []string{"TZ=Europe/Berlin"}, early: true},
		{name: "Kathmandu", env: []string{"TZ=:Asia/Kathmandu"}, early: true},
		{name: "New York", env: []string{"TZ=America/New_York"}, early: true},
		{name: "Kiritimati", env: []string{"TZ=Pacific/Kiritimati"}, early: true},
		{name: "a rule", env: []string{"TZ=CET-1CEST"}},
		{name: "a file", env: []string{"TZ=/usr/share/zoneinfo/Asia/Tokyo"}},
		{name: "nonsense", env: []string{"TZ=../zoneinfo/Asia/Tokyo"}},
		{name: "ZONEINFO", env: []string{"TZ=Asia/Tokyo", "ZONEINFO=/nonexistent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			uid := -1
			if c.user {
				uid = nobody
			}
			b := newBoxFor(t, uid)
			// A short word, so that those behind it are not cut off.
			script("h", "#!/bin/sh\n"+holdScript+"\n", 0o755)(b)
			h := b.start(b.command("env", append([]string{"PATH=" + b.work + ":" + os.Getenv("PATH"), binary, "run", "n", "--", "h"}, c.hold...)...))
			b.env = append(b.env, c.env...)
			skip := func(bin string) outcome {
				b.bin = bin
				o := b.run(append(append([]string{"run"}, c.flags...), "n", "--", "touch", b.file("witness"))...)
				b.notRun()
				o.stderr = regexp.MustCompile(`\(\d+s\)`).ReplaceAllString(o.stderr, "(Ns)")
				if bin == binary { // it is the second one
					o.stderr = strings.Replace(o.stderr, "; skipped, 2nd in a row\n", "; skipped\n", 1)
				} else if strings.Contains(o.stderr, "in a row") {
					t.Errorf("the first skip: %s", o.stderr)
				}
				return o
			}
			want := skip(plainBinary)
			if got := skip(binary); got != want {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if n := b.status("n").Skips; n != 2 {
				t.Errorf("%d skips, want 2", n)
			}
			trace := b.file("trace")
			strace := need(t, "strace", "strace")
			b.finish(b.command(strace, append([]string{"-f", "--seccomp-bpf", "-qq", "-e", "trace=openat", "-o", trace, "--", binary, "run"}, append(c.flags, "n", "--", "true")...)...))
			calls, err := os.ReadFile(trace)
			must(t, err)
			if early := !strings.Contains(string(calls), goRuntime); early != c.early {
				t.Errorf("early: %v, want %v", early, c.early)
			}
			h.release()
		})
	}
}

// A start that does not wait does not look past one that waits.
func TestEarlyLeavesWaitersTheirTurn(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("n")
	waiter := b.sole("run", "--wait", "n", "--", "true")
	must(t, waiter.Start())
	b.eventually("somebody waits", func() bool { return b.status("n").Waiters == 1 })
	if o := b.run("run", "n", "--", "true"); o.code != 75 {
		t.Errorf("while somebody waits: %v", o)
	}
	h.release()
	must(t, waiter.Wait())
}

// Every signal reaches the command once, also when the supervisor begins to look after
// the lock file: after one second.
func TestEarlyKeepsSignals(t *testing.T) {
	t.Parallel()
	moments := []time.Duration{0, 200 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 1200 * time.Millisecond}
	for at := 994 * time.Millisecond; at < 1002*time.Millisecond; at += time.Millisecond {
		moments = append(moments, at)
	}
	sigs := []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGWINCH, 35, 64}
	for i, moment := range moments {
		t.Run(moment.String(), func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			b.env = append(b.env, helperEnv+"=every")
			h := b.start(b.sole("run", "n", "--", helper))
			time.Sleep(moment)
			h.sendTwo(sigs[i%len(sigs)], sigs[(i+3)%len(sigs)], time.Duration(i%5)*300*time.Microsecond)
		})
	}
}

// sendTwo sends two signals, and checks that the command gets both, once.
func (h *held) sendTwo(first, second syscall.Signal, pause time.Duration) {
	h.b.Helper()
	must(h.b, h.Process.Signal(first))
	time.Sleep(pause)
	must(h.b, h.Process.Signal(second))
	got := map[string]int{h.line(): 1}
	got[h.line()]++
	for _, want := range []syscall.Signal{first, second} {
		if got[fmt.Sprintf("got %d.\n", want)] != 1 {
			h.b.Fatalf("sent %d and %d, got %v", first, second, got)
		}
	}
	if o := h.release(); o.code != 5 {
		h.b.Errorf("end: %v", o)
	}
	if rest := h.line(); rest != "" {
		h.b.Errorf("then came %q", rest)
	}
}

// When the lock file is deleted the Go runtime starts, and the ordinary code takes over.
// Signals that come just then are kept. Those that the runtime lets through at its start
// (SIGHUP, SIGINT, SIGQUIT, SIGTERM) are not kept for sure: they may end the supervisor.
func TestHandOverKeepsSignals(t *testing.T) {
	t.Parallel()
	sigs := []syscall.Signal{syscall.SIGUSR1, syscall.SIGWINCH, syscall.SIGCONT, 35, syscall.SIGUSR2, 64}
	b := newBox(t)
	b.env = append(b.env, helperEnv+"=every")
	for i := range 16 {
		n := "n" + strconv.Itoa(i)
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			b := *b
			b.T = t
			b.warm(n)
			h := b.start(b.sole("run", n, "--", helper))
			time.Sleep(1050 * time.Millisecond)
			must(t, os.Remove(b.lockFile(n)))
			time.Sleep(time.Duration(i) * 200 * time.Microsecond)
			h.sendTwo(sigs[i%len(sigs)], sigs[(i+1)%len(sigs)], 300*time.Microsecond)
			b.takes(n)
		})
	}
}

// Whenever the command ends, its end is noticed: also just after the first second, and
// during a hand-over.
func TestHandOverNoticesTheEnd(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for i := range 16 {
		n := "n" + strconv.Itoa(i)
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			b := *b
			b.T = t
			b.warm(n)
			if i < 8 {
				o := b.run("run", n, "--", "sh", "-c", fmt.Sprintf("sleep %.4f; exit 7", 0.994+float64(i)*0.001))
				if o.code != 7 || o.stderr != "" {
					t.Error(o)
				}
				b.takes(n)
				return
			}
			h := b.start(b.sole("run", n, "--", "sh", "-c", "echo up $$; read x; exit 7"))
			time.Sleep(1050 * time.Millisecond)
			must(t, os.Remove(b.lockFile(n)))
			time.Sleep(time.Duration(i-8) * 300 * time.Microsecond)
			if o := h.release(); o.code != 7 {
				t.Error(o)
			}
			b.takes(n)
		})
	}
}

// A signal and the command's end at the same time.
func TestEarlySignalBesideTheEnd(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	for i := range 60 {
		c := b.sole("run", "n", "--", "sleep", "0.01")
		must(t, c.Start())
		time.Sleep(10*time.Millisecond + time.Duration(i%12)*200*time.Microsecond)
		must(t, ignoreGone(c.Process.Signal(syscall.SIGTERM)))
		_ = c.Wait()
		if s := signalOf(c); c.ProcessState.ExitCode() != 0 && s != syscall.SIGTERM {
			t.Fatalf("turn %d: %v", i, c.ProcessState)
		}
		if st := b.status("n"); st.State != "free" {
			t.Fatalf("turn %d: %+v", i, st)
		}
	}
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// A signal that is ignored from the start is ignored in the command, whichever it is, and
// does not disturb the supervisor. The Go runtime alone would keep HUP and INT only.
func TestEarlyKeepsAllIgnoredSignals(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.start(b.command("sh", "-c", `trap "" TERM USR1 QUIT; exec "$@"`, "sh",
		binary, "run", "n", "--", "sh", "-c", "echo up $$; cat >/dev/null; exit 5"))
	for _, pause := range []time.Duration{0, 1100 * time.Millisecond} {
		time.Sleep(pause)
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGQUIT} {
			must(t, h.Process.Signal(s))
		}
		time.Sleep(20 * time.Millisecond)
	}
	if o := h.release(); o.code != 5 {
		t.Errorf("end: %v", o)
	}
}

// The supervisor and its command stop and go on together, from the first moment on.
func TestEarlyStops(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("n")
	must(t, h.Process.Signal(syscall.SIGTSTP))
	b.eventually("both are stopped", func() bool { return procState(h.pid) == 'T' && procState(h.Process.Pid) == 'T' })
	must(t, h.Process.Signal(syscall.SIGCONT))
	b.eventually("both go on", func() bool { return procState(h.pid) == 'S' && procState(h.Process.Pid) == 'S' })
	if o := h.release(); o.code != 0 {
		t.Errorf("end: %v", o)
	}
	b.takes("n")
}

// What was handed over looks after the lock file as ever.
func TestHandOverPutsTheFileBack(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	h := b.hold("n")
	must(t, os.Remove(b.lockFile("n")))
	b.eventually("the file is back", func() bool { _, err := os.Stat(b.lockFile("n")); return err == nil })
	b.skips("n")
	line, err := h.stderr.ReadString('\n')
	must(t, err)
	mustContain(t, line, "was deleted")
	data, err := os.ReadFile(b.lockFile("n"))
	must(t, err)
	r, _, err := record.Decode(data[record.HeaderSize:])
	if err != nil || r.Run != 2 || len(r.Command) != 3 || r.Child.PID != h.pid {
		t.Errorf("the record: %+v, %v", r, err)
	}
	h.release()
	b.takes("n")
}

// The Makefile links the entry point that the tests link.
func TestMakefileLinksTheEarlyStart(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("make", "-n", "-s", "-C", filepath.Join("..", ".."), "build").Output()
	if err != nil {
		t.Skip(err)
	}
	mustContain(t, string(out), earlyFlag)
}
