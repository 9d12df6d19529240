package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// ask sends lines to a socket by socat, and returns the lines that answer them, the
// greeting first.
func (b *box) ask(addr string, lines ...string) []string {
	b.Helper()
	c := b.command(need(b.T, "socat", "socat"), "-t", "20", "-", addr)
	c.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	o := b.finish(c)
	if o.code != 0 {
		b.Fatalf("socat %s: %v", addr, o)
	}
	return strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
}

// addresses are where socat finds the two sockets.
func (b *box) addresses() map[string]string {
	return map[string]string{
		"socket":   "UNIX-CONNECT:" + filepath.Join(b.dir, "n.sock"),
		"abstract": fmt.Sprintf("ABSTRACT-CONNECT:sole/%d/%s/n", os.Geteuid(), b.dir),
	}
}

// A start with any method excludes starts with any method.
func TestMethodsExcludeEachOther(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	methods := []string{"flock", "pidfile", "socket", "abstract"}
	for _, one := range methods {
		h := b.hold("--method", one, "n")
		if st := b.status("n"); st.Method != one {
			t.Errorf("%s: %+v", one, st)
		}
		for _, other := range methods {
			o := b.run("run", "--method", other, "n", "--", "touch", b.file("witness"))
			if o.code != 75 || !strings.Contains(o.stderr, "n is already running: pid ") {
				t.Errorf("%s beside %s: %v", other, one, o)
			}
			b.notRun()
		}
		waiter := b.launch(b.sole("run", "--wait", "--method", one, "n", "--", "true"))
		b.waiters("n", 1)
		if o := h.release(); o.code != 0 {
			t.Errorf("%s: %v", one, o)
		}
		if o := waiter.wait(); o.code != 0 {
			t.Errorf("waiter of %s: %v", one, o)
		}
		all, err := filepath.Glob(b.dir + "/*n.[ps]*")
		if err != nil || len(all) > 0 {
			t.Errorf("%s: left behind: %v, %v", one, all, err)
		}
	}
}

// Many starts at once, over what a killed holder left: one runs at a time.
func TestMethodsUnderStartsAtOnce(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"pidfile", "socket", "abstract"} {
		b := newBox(t)
		h := b.hold("--method", method, "n")
		must(t, syscall.Kill(-h.Process.Pid, syscall.SIGKILL))
		h.wait()
		witness := b.file("held")
		script := `mkdir "$1" || exit 9; rmdir "$1"`
		var ran, skipped atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			wait := []string{"--wait=0", "--wait"}[i%2] // who waits begins at once after another one's end
			all.Go(func() {
				for range 10 {
					o := b.run("run", wait, "--method", method, "n", "--", "sh", "-c", script, "sh", witness)
					switch {
					case o.code == 0 && o.stderr == "": // it would say that its file is another's
						ran.Add(1)
					case o.code == 75 && strings.HasPrefix(o.stderr, "sole: n is "):
						skipped.Add(1)
					default:
						t.Errorf("%s: %v", method, o)
					}
				}
			})
		}
		all.Wait()
		if ran.Load() == 0 {
			t.Errorf("%s: none of 80 ran, %d skipped", method, skipped.Load())
		}
	}
}

// The socket answers as the commands do.
func TestMethodSocketAnswers(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"socket", "abstract"} {
		b := newBox(t)
		b.env = append(b.env, helperEnv+"=signals")
		addr := b.addresses()[method]
		h := b.start(b.sole("run", "--method", method, "n", "--", helper))
		b.eventually("the command is named", func() bool { return b.status("n").ChildPID == h.pid })
		st := b.status("n")
		lines := b.ask(addr, "status", "signal USR1", "signal SIGNONSENSE", "signal", "frobnicate", "stop now")
		want := []string{fmt.Sprintf("sole-control 1 n %d %d", h.Process.Pid, st.Run), "{", "ok",
			"error bad-request ", "error bad-request ", "error unknown ", "error bad-request "}
		if len(lines) != len(want) {
			t.Fatalf("%q", lines)
		}
		for i := range want {
			if !strings.HasPrefix(lines[i]+" ", want[i]) {
				t.Errorf("%q does not begin with %q", lines[i], want[i])
			}
		}
		var byLine, byCommand map[string]any
		must(t, json.Unmarshal([]byte(lines[1]), &byLine))
		must(t, json.Unmarshal([]byte(b.run("status", "--json", "n").stdout), &byCommand))
		delete(byLine, "seconds")
		delete(byCommand, "seconds")
		if fmt.Sprint(byLine) != fmt.Sprint(byCommand) {
			t.Errorf("%v\n%v", byLine, byCommand)
		}
		for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP} {
			if got := h.line(); got != fmt.Sprintf("got %d.\n", sig) {
				t.Errorf("%v: %q", sig, got)
			}
			if sig == syscall.SIGUSR1 { // one after the other: those that wait have no order
				b.ask(addr, "reload")
			}
		}
		h.release()
	}
}

// stop ends the command, as `sole stop` does, and sole ends as the command.
func TestMethodSocketStops(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("--method", "socket", "n")
	b.eventually("the command is named", func() bool { return b.status("n").ChildPID == h.pid })
	// What is still connected when the holder ends is told so, behind the answer.
	if lines := b.ask(b.addresses()["socket"], "stop"); len(lines) < 2 || lines[1] != "ok" {
		t.Errorf("%q", lines)
	}
	if o := h.wait(); o.signal != syscall.SIGTERM {
		t.Errorf("%v", o)
	}
	if _, err := os.Lstat(b.dir + "/n.sock"); err == nil {
		t.Error("the socket is left")
	}
	b.takes("n")
}

// A supervisor that is stopped, or killed beside a command that lives, still holds the name.
// What it left is replaced.
func TestMethodSocketOfAKilledSupervisor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("--method", "socket", "n")
	b.freeze(h.Process)
	b.skips("n")
	must(t, h.Process.Kill())
	h.wait()
	o := b.run("run", "--method", "socket", "n", "--", "touch", b.file("witness"))
	if o.code != 75 {
		t.Errorf("%v", o)
	}
	b.notRun()
	h.stdin.Close()
	b.eventually("the command ends", func() bool { return !alive(h.pid) })
	next := b.hold("--method", "socket", "n")
	b.ask(b.addresses()["socket"], "status")
	next.release()
}

// The socket file is the user's own, and is removed only if it is still the one.
func TestMethodSocketFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := filepath.Join(b.dir, "n.sock")
	h := b.hold("--method", "socket", "n")
	st, err := os.Lstat(path)
	if err != nil || st.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("%v, %v", st.Mode(), err)
	}
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, []byte("mine"), 0o600))
	h.release()
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Error("somebody else's file was removed")
	}
	// And nothing is run beside what is no socket.
	o := b.run("run", "--method", "socket", "n", "--", "touch", b.file("witness"))
	if o.code != 73 {
		t.Errorf("%v", o)
	}
	mustContain(t, o.stderr, path, "hint: remove")
	b.notRun()
}

// Another user has the address. He is named, and does not keep the name from being held.
func TestAbstractSquatter(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	name := fmt.Sprintf("@sole/0/%s/n", b.dir)
	for _, listens := range []bool{true, false} {
		c := b.command(need(t, "perl", "perl-base"), "-MSocket", "-e", `socket(S, PF_UNIX, SOCK_STREAM, 0) or die;
bind(S, pack_sockaddr_un("\0" . substr($ARGV[0], 1))) or die $!;
$ARGV[1] eq "true" and (listen(S, 5) or die);
$| = 1; print "up 1\n"; <STDIN>;`, name, fmt.Sprint(listens))
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		c.Dir = "/"
		squatter := b.start(c)
		h := b.hold("--method", "abstract", "n")
		line, err := h.stderr.ReadString('\n')
		must(t, err)
		want := []string{"sole: n: " + name, "n is held all the same"}
		if listens {
			want = append(want, fmt.Sprintf("pid %d of uid %d", squatter.Process.Pid, nobody))
		}
		mustContain(t, line, want...)
		b.skips("n")
		if o := h.release(); o.code != 0 {
			t.Errorf("%v", o)
		}
		squatter.release()
	}
}

// A holder that answers at the socket uses no CPU while nobody asks.
func TestMethodSocketIsIdle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("--method", "socket", "n")
	b.ask(b.addresses()["socket"], "status")
	// All its threads sleep, and stay asleep while somebody else works.
	switches := func() string {
		var all strings.Builder
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", h.Process.Pid))
		must(t, err)
		for _, path := range tasks {
			text, _ := os.ReadFile(path)
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, "ctxt_switches") {
					all.WriteString(line)
				}
			}
		}
		return all.String()
	}
	b.eventually("it comes to rest", func() bool {
		before := switches()
		c := exec.Command("sleep", "0.3")
		must(t, c.Run())
		return switches() == before
	})
	h.release()
}

// Only those flags that have a sense together.
func TestMethodsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, args := range [][]string{
		{"--method", "pidfile", "--shared"}, {"--method", "pidfile", "--slots", "2"},
		{"--method", "socket", "--shared"}, {"--method", "socket", "--slots", "2"},
		{"--method", "abstract", "-s"}, {"--method", "abstract", "--slots", "2"},
		{"--method", "socket", "--exec"}, {"--method", "abstract", "--exec"},
		{"--pidfile", "x.pid", "--shared"}, {"--pidfile", "x.pid", "--slots", "2"},
	} {
		o := b.run(append(append([]string{"run"}, args...), "n", "--", "touch", b.file("witness"))...)
		if o.code != 64 {
			t.Errorf("%q: %v", args, o)
		}
		other := map[string]string{"2": "--slots", "-s": "--shared"}[args[len(args)-1]]
		if other == "" {
			other = args[len(args)-1]
		}
		mustContain(t, o.stderr, args[0], other, "contradict each other", "hint: leave one of them out")
	}
	for _, args := range [][]string{{"--method", ""}, {"--method", "FLOCK"}, {"--method", "pid"}, {"--method"}, {"--pidfile", ""}} {
		b.expect(64, append(append([]string{"run"}, args...), "n", "touch", b.file("witness"))...)
	}
	b.notRun()
	if all, _ := os.ReadDir(b.dir); len(all) > 0 {
		t.Errorf("left: %v", all)
	}
}

// Several scripts work on one queue directory: the lock is on what they share.
func TestQueueDirectory(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	queue := b.file("queue")
	must(t, os.Mkdir(queue, 0o700))
	first := b.hold("--lock", queue, "fill")
	o := b.run("run", "--lock", queue, "drain", "--", "touch", b.file("witness"))
	if o.code != 75 {
		t.Errorf("another script on the same directory: %v", o)
	}
	if o := b.finish(b.command(need(t, "flock", "util-linux"), "-n", queue, "touch", b.file("witness"))); o.code != 1 {
		t.Errorf("flock: %v", o)
	}
	b.notRun()
	first.release()
	b.expect(0, "run", "--lock", queue, "drain", "--", "true")
}
