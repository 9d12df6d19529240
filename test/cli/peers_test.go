//go:build linux

package cli

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// peers are the tools that README compares with, as far as they are packaged here: how each runs a
// shell text alone, and whether the next start is refused after two accidents.
var peers = map[string]struct {
	pkg           string
	words         []string // before the text
	wrapperKilled bool     // refused while the command of a killed wrapper lives
	daemonLeft    bool     // refused while a daemon that the command left lives
	passesSIGTERM bool
}{
	"flock":    {pkg: "util-linux", words: []string{"flock", "-n", "L", "sh", "-c"}, wrapperKilled: true, daemonLeft: true},
	"flock -o": {pkg: "util-linux", words: []string{"flock", "-n", "-o", "L", "sh", "-c"}},
	"lckdo":    {pkg: "moreutils", words: []string{"lckdo", "L", "sh", "-c"}},
	"sem":      {pkg: "parallel", words: []string{"sem", "--will-cite", "--id", "L", "--fg", "-u", "-j1", "--st", "-1"}},
	"sole":     {words: []string{"sole", "run", "L", "--", "sh", "-c"}, wrapperKilled: true, passesSIGTERM: true},
}

// The table of README says of these tools what is so.
func TestPeers(t *testing.T) {
	t.Parallel()
	for name, p := range peers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p.pkg != "" {
				need(t, p.words[0], p.pkg)
			}
			b := newBox(t)
			b.env = append(b.env, "HOME="+b.work)
			alone := func(text string) *exec.Cmd {
				c := b.command(p.words[0], append(p.words[1:len(p.words):len(p.words)], text)...)
				if p.words[0] == "sole" {
					c.Path, c.Err = binary, nil
				}
				return c
			}
			refused := func() bool { return b.finish(alone("true")).code != 0 }

			h := b.start(alone(holdScript))
			if !refused() {
				t.Fatal("it excludes nobody")
			}
			b.freeze(h.Process) // so that nothing that it does is mistaken for its end
			must(t, h.Process.Kill())
			_ = h.Cmd.Wait()
			h.waited = true
			if !alive(h.pid) {
				t.Fatal("the command has ended with its wrapper")
			}
			if got := refused(); got != p.wrapperKilled {
				t.Errorf("the wrapper is killed: refused %v", got)
			}
			h.stdin.Close()
			b.eventually("the command has ended", func() bool { return !alive(h.pid) })

			o := b.finish(alone("sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >daemon"))
			daemon, err := strconv.Atoi(b.words("daemon")[0])
			must(t, err)
			t.Cleanup(func() { _ = syscall.Kill(daemon, syscall.SIGKILL) })
			if o.code != 0 || !alive(daemon) {
				t.Fatalf("no daemon is left: %v", o)
			}
			if got := refused(); got != p.daemonLeft {
				t.Errorf("a daemon is left: refused %v", got)
			}
			must(t, syscall.Kill(daemon, syscall.SIGKILL))
			b.eventually("the daemon has ended", func() bool { return !alive(daemon) })

			if p.words[0] == "sem" || p.words[0] == "lckdo" {
				return // README does not say
			}
			h = b.start(alone(`trap 'echo term; exit' TERM; echo up $$; while :; do sleep 0.01; done`))
			must(t, h.Process.Signal(syscall.SIGTERM))
			if p.passesSIGTERM {
				if line := h.line(); line != "term\n" {
					t.Errorf("%q", line)
				}
				return
			}
			h.wait()
			if !alive(h.pid) {
				t.Error("the command has ended with its wrapper")
			}
			must(t, syscall.Kill(h.pid, syscall.SIGKILL))
		})
	}
}

// What README and the cookbook say of the containers' and pods' directories: one that everybody may write is
// refused, until it is taken from them.
func TestEmptyDirIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	must(t, os.Chmod(b.dir, 0o777))
	o := b.expect(77, "run", "n", "--", "touch", b.file("witness"))
	if !strings.Contains(o.stderr, "writable by others") {
		t.Error(o)
	}
	b.notRun()
	must(t, os.Chmod(b.dir, 0o700))
	b.takes("n")
}
