package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// signals starts the helper that reports the signals it gets, below sole.
func (b *box) signals(args ...string) *exec.Cmd {
	b.env = append(b.env, helperEnv+"=signals")
	return b.sole(append(append([]string{"run"}, args...), "n", "--", helper)...)
}

// Each signal sent to the supervisor reaches the command once.
func TestForwardedSignals(t *testing.T) {
	t.Parallel()
	for _, s := range reported {
		sig := s.(syscall.Signal)
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			h := b.start(b.signals())
			must(t, h.Process.Signal(sig))
			if got, want := h.line(), fmt.Sprintf("got %d.\n", sig); got != want {
				t.Fatalf("want %q, got %q", want, got)
			}
			if sig == syscall.SIGTSTP {
				// The supervisor stops too, as the shell expects; SIGCONT sets it going.
				b.eventually("the supervisor stops", func() bool { return procState(h.Process.Pid) == 'T' })
				var ws syscall.WaitStatus
				if _, err := syscall.Wait4(h.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
					t.Fatalf("wait: %v, %v", ws, err)
				}
				must(t, h.Process.Signal(syscall.SIGCONT))
			}
			// Another one comes after it: whatever came twice comes before.
			after := syscall.SIGUSR1
			if sig == after {
				after = syscall.SIGUSR2
			}
			must(t, h.Process.Signal(after))
			want := fmt.Sprintf("got %d.\n", after)
			for {
				got := h.line()
				if got == want {
					break
				}
				if sig == syscall.SIGTSTP && got == fmt.Sprintf("got %d.\n", syscall.SIGCONT) {
					continue
				}
				t.Fatalf("%v came, and then %q", sig, got)
			}
			if o := h.release(); o.code != 5 {
				t.Errorf("end: %v", o)
			}
			if rest := h.line(); rest != "" {
				t.Errorf("then came %q", rest)
			}
		})
	}
}

// A default action is the command's own, too: sole dies as it does.
func TestSignalsThatKill(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
		b := newBox(t).warm("n")
		h := b.hold("n")
		must(t, h.Process.Signal(sig))
		if o := h.wait(); o.signal != sig {
			t.Errorf("%v: %v", sig, o)
		}
		if alive(h.pid) {
			t.Errorf("%v: the command lives on", sig)
		}
		b.takes("n")
	}
}

// What was ignored at the start is ignored in the command, as under nohup. Umask, nice
// value and directory are as they were.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	t.Parallel()
	b := newBox(t).warm("n")
	mask := func(c *exec.Cmd) string {
		o := b.finish(c)
		return o.stdout
	}
	const show = `grep -E '^Sig(Blk|Ign):' /proc/self/status; umask; nice; pwd`
	shell := func(prefix string) string {
		return mask(b.command("sh", "-c", `trap "" HUP INT QUIT TERM USR1 PIPE WINCH TSTP 40; umask 027; `+prefix+` sh -c "$0"`, show))
	}
	plain := shell("")
	for _, how := range []string{"run n --", "run --exec n --", "run fresh --", "run --exec other --", "run --until tree n --"} {
		if under := shell(binary + " " + how); under != plain {
			t.Errorf("sole %s: want\n%s\ngot\n%s", how, plain, under)
		}
	}
}

// terminal is a shell with job control on a pseudo-terminal.
type terminal struct {
	*box
	tty *os.File

	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
	from int // where to look for the next output
}

func (b *box) terminal() *terminal {
	b.Helper()
	bash := need(b.T, "bash", "bash")
	c := b.command(bash, "--norc", "--noprofile", "--noediting", "-i")
	c.Env = append(c.Env, "PS1=ready> ", "TERM=dumb", "HISTFILE=", "PROMPT_COMMAND=", helperEnv+"=signals")
	tty, err := pty.Start(c)
	must(b, err)
	w := &terminal{box: b, tty: tty, more: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			w.mu.Lock()
			w.text.Write(buf[:n])
			w.mu.Unlock()
			select {
			case w.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	b.Cleanup(func() {
		_ = c.Process.Kill() // the hang-up ends what it runs
		_ = c.Wait()
		tty.Close()
		<-done
	})
	w.expect(`ready> `)
	return w
}

func (w *terminal) typed(s string) {
	w.Helper()
	_, err := w.tty.WriteString(s)
	must(w, err)
}

// expect waits for output that matches, and returns the submatches.
func (w *terminal) expect(pattern string) []string {
	w.Helper()
	re := regexp.MustCompile(pattern)
	give := time.NewTimer(patience)
	defer give.Stop()
	for {
		w.mu.Lock()
		rest := w.text.String()[w.from:]
		w.mu.Unlock()
		if at := re.FindStringSubmatchIndex(rest); at != nil {
			found := re.FindStringSubmatch(rest)
			w.from += at[1]
			return found
		}
		select {
		case <-w.more:
		case <-give.C:
			w.mu.Lock()
			all := w.text.String()
			w.mu.Unlock()
			w.Fatalf("no %q in %q, after %q", pattern, rest, strings.TrimSuffix(all, rest))
		}
	}
}

func (w *terminal) code() string {
	w.Helper()
	w.typed("echo code=$?\n")
	return w.expect(`code=(\d+)\r?\n[^\n]*ready> `)[1]
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--until tree", "--kill-tree", "--max-time 1h", "--exec"} {
		t.Run(strings.TrimSpace("run "+flags), func(t *testing.T) {
			t.Parallel()
			b := newBox(t).warm("n")
			w := b.terminal()
			start := binary + " run " + flags + " n -- "

			// Ctrl-C reaches the command once.
			w.typed(start + helper + "\n")
			var pid int
			_, err := fmt.Sscan(w.expect(`up (\d+)\r`)[1], &pid)
			must(t, err)
			w.typed("\x03")
			w.expect(`got 2\.\r`)
			must(t, syscall.Kill(pid, syscall.SIGUSR1))
			w.expect(`^\s*(\^C)?\s*got 10\.\r`)
			w.typed("\x04")
			w.expect(`ready> `)
			if code := w.code(); code != "5" {
				t.Errorf("after its end: %s", code)
			}

			// By default it dies of it.
			w.typed(start + "sh -c 'echo up $$; exec cat'\n")
			w.expect(`up \d+\r`)
			w.typed("\x03")
			w.expect(`ready> `)
			if code := w.code(); code != "130" {
				t.Errorf("after Ctrl-C: %s", code)
			}

			// Ctrl-Z stops it, and fg has it go on.
			w.typed(start + "cat\n")
			w.typed("first\n")
			w.expect(`first\r\nfirst\r\n`)
			w.typed("\x1a")
			w.expect(`Stopped`)
			w.expect(`ready> `)
			if code := w.code(); code != "148" {
				t.Errorf("after Ctrl-Z: %s", code)
			}
			if st := b.status("n"); st.State != "held" {
				t.Errorf("while stopped: %+v", st)
			}
			w.typed("fg\n")
			w.expect(` cat\r\n`)
			w.typed("second\n")
			w.expect(`second\r\nsecond\r\n`)
			w.typed("\x04")
			w.expect(`ready> `)
			if code := w.code(); code != "0" {
				t.Errorf("after its end: %s", code)
			}
			b.takes("n")
		})
	}
}
