package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// typed is what a person types, with a tab, and the words that sole is then started with.
var typed = []struct{ line, want string }{
	{"sole stat\t", "status"},
	{"sole run --max\t", "run --max-time"},
	{"sole run --until t\t", "run --until tree"},
	{"sole run --until=t\t", "run --until=tree"},
	{"sole stop ni\t", "stop nightly"},
	{"sole run ni\t", "run nightly"},
	{"sole status fr\t", "status free"},
	{"sole stop fr\t", "stop fr"}, // nobody holds it
	{"sole stop a\t", "stop a:b"},
	{"sole stop a:\t", "stop a:b"},
	{"sole stop c@\t", "stop c@d"},
	{"sole stop c\t", "stop c@d"},
	{"sole stop --dir elsewhere ot\t", "stop --dir elsewhere other"},
	{"sole stop --dir=elsewhere ot\t", "stop --dir=elsewhere other"},
	{"sole stop slotted --slot \t", "stop slotted --slot 1"},
	{"sole signal nightly WIN\t", "signal nightly WINCH"},
	{"sole help comp\t", "help completion"},
	{"sole completion ba\t", "completion bash"},
	{"sole run --lock a-fi\t", "run --lock a-file"},
	{"sole run --lock=a-fi\t", "run --lock=a-file"},
	{"sole run --dir elsew\t", "run --dir elsewhere/"},
	{"sole crontab a-fi\t", "crontab a-file"},
	{"sole run nightly -- probe-the-com\t", "run nightly -- probe-the-command"},
	{"sole run nightly probe-the-com\t", "run nightly probe-the-command"},
	{"sole run -w 3 -- probe-the-com\t", "run -w 3 -- probe-the-command"},
	{"sole run nightly -- sole stat\t", "run nightly -- sole status"},
	{"sole run a:b -- sole stop a:\t", "run a:b -- sole stop a:b"},
	{"sole run nightly -- probe-the-command a-fi\t", "run nightly -- probe-the-command a-file"},
}

func TestCompletionInBash(t *testing.T) {
	need(t, "bash", "bash")
	for _, more := range []string{"", "source /usr/share/bash-completion/bash_completion\n"} {
		s := newTyping(t, "bash-completion: "+more)
		s.write(".bashrc", more+"PS1='READY> '\nsource <(sole completion bash)\n")
		if _, err := os.Stat("/usr/share/bash-completion/bash_completion"); err != nil && more != "" {
			need(t, "bash-completion's own file", "bash-completion")
		}
		skip := ""
		if more == "" {
			skip = "-- sole " // takes the other command's completion, which that package starts
		}
		s.types(skip, "bash", "--rcfile", filepath.Join(s.work, ".bashrc"), "-i")
	}
}

func TestCompletionInZsh(t *testing.T) {
	need(t, "zsh", "zsh")
	for _, how := range []string{"autoload -Uz compinit; compinit -u -D\nsource <(sole completion zsh)\n",
		"fpath=(~/functions $fpath)\nautoload -Uz compinit; compinit -u -D\n"} {
		s := newTyping(t, how)
		s.write("functions/_sole", s.script("zsh"))
		s.write(".zshrc", "PS1='READY> '\n"+how)
		s.types("", "zsh", "-d", "-i")
	}
}

func TestCompletionInFish(t *testing.T) {
	need(t, "fish", "fish")
	s := newTyping(t, "")
	s.write(".config/fish/config.fish", "function fish_prompt; echo 'READY> '; end\nfunction fish_greeting; end\nset -g fish_autosuggestion_enabled 0\n")
	s.write(".config/fish/completions/sole.fish", s.script("fish"))
	s.types("", "fish", "-i")
}

// typing is a place for a shell, in which `sole` says with which words it is started.
type typing struct {
	*box
	what string
	said string
}

func newTyping(t *testing.T, what string) *typing {
	t.Helper()
	s := &typing{newBox(t), what, ""}
	s.said = s.file("said")
	for _, n := range []string{"nightly", "a:b", "c@d"} {
		s.hold(n)
	}
	s.hold("--slots", "3", "slotted")
	s.takes("free")
	must(t, os.Mkdir(s.file("elsewhere"), 0o700))
	s.hold("--dir", s.file("elsewhere"), "other")
	s.write("a-file", "")
	s.write("bin/probe-the-command", "#!/bin/sh\n")
	s.write("bin/sole", `#!/bin/sh
[ "$1" = completion ] && case $2 in at|zsh|fish) exec `+s.bin+` "$@" ;; bash) [ -t 1 ] || exec `+s.bin+` "$@" ;; esac
echo "$@" >`+s.said+`.new && mv `+s.said+`.new `+s.said+"\n")
	for _, p := range []string{"bin/probe-the-command", "bin/sole"} {
		must(t, os.Chmod(s.file(p), 0o755))
	}
	return s
}

func (s *typing) write(name, text string) {
	s.Helper()
	must(s, os.MkdirAll(filepath.Dir(s.file(name)), 0o755))
	must(s, os.WriteFile(s.file(name), []byte(text), 0o644))
}

func (s *typing) script(shell string) string {
	s.Helper()
	return s.expect(0, "completion", shell).stdout
}

// types has a shell at a terminal complete each line, but for those with skip in it.
func (s *typing) types(skip, shell string, args ...string) {
	s.Helper()
	c := s.command(shell, args...)
	c.Env = append(c.Env, "HOME="+s.work, "ZDOTDIR="+s.work, "XDG_CONFIG_HOME="+s.file(".config"), "TERM=xterm", "LC_ALL=C.UTF-8",
		"PATH="+s.file("bin")+":"+os.Getenv("PATH"))
	screen := s.terminal(c)
	for _, line := range typed {
		if skip != "" && strings.Contains(line.line, skip) {
			continue
		}
		_ = os.Remove(s.said)
		screen.input(line.line + "\r")
		var said []byte
		s.eventually(line.line+" is completed in "+shell, func() (ok bool) {
			var err error
			said, err = os.ReadFile(s.said)
			return err == nil
		})
		// zsh takes the slash behind a directory away again.
		if got := strings.TrimSpace(string(said)); got != line.want && (shell != "zsh" || got+"/" != line.want) {
			s.Errorf("%s %s: %q becomes %q, want %q\nscreen: %q", shell, s.what, line.line, got, line.want, screen.seen())
		}
	}
}

// screen is a terminal with a shell.
type screen struct {
	s      *typing
	tty    *os.File
	mu     sync.Mutex
	text   strings.Builder
	prompt int // how many were waited for
}

func (s *typing) terminal(c *exec.Cmd) *screen {
	s.Helper()
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 200})
	must(s, err)
	v := &screen{s: s, tty: tty}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, err := tty.Read(b)
			v.mu.Lock()
			v.text.Write(b[:n])
			v.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = tty.Close()
		<-done
	})
	return v
}

func (v *screen) seen() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.text.String()
}

// input types once the shell is ready for it.
func (v *screen) input(keys string) {
	v.s.Helper()
	end := time.Now().Add(patience)
	for strings.Count(v.seen(), "READY> ") <= v.prompt {
		if time.Now().After(end) {
			v.s.Fatalf("there is no prompt: %q", v.seen())
		}
		pause()
	}
	v.prompt = strings.Count(v.seen(), "READY> ")
	_, err := v.tty.Write([]byte(keys))
	must(v.s, err)
}
