package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sole-run/sole/instance"
)

// serveInstance is a program of one instance, until its standard input ends.
func serveInstance() {
	first, err := instance.Start(context.Background(), "app", func(ctx context.Context, m *instance.Message) error {
		if len(m.Words) == 0 {
			m.Words = []string{""}
		}
		switch m.Words[0] {
		case "say":
			fmt.Fprintf(m.Stdout, "%q %q\n", m.Words[1:], m.Env)
		case "cat":
			_, err := io.Copy(m.Stdout, m.Stdin)
			return err
		case "fail":
			fmt.Fprintln(m.Stderr, "a word on standard error")
			return instance.ExitCode(9)
		case "error":
			return errors.New("out of luck\x1b[31m")
		case "panic":
			panic("oh")
		case "stay":
			fmt.Fprintln(m.Stdout, "staying")
			<-ctx.Done()
			fmt.Println("left", context.Cause(ctx))
		case "die":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("up", os.Getpid())
	_, _ = io.ReadAll(os.Stdin)
	_ = first.Close()
}

// app starts a program of one instance.
func (b *box) app() *held {
	c := b.command(helper)
	c.Env = append(c.Env, helperEnv+"=instance")
	return b.start(c)
}

func TestSend(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.expect(3, "send", "app", "say")
	h := b.app()
	b.env = append(b.env, "CHOSEN=x")
	for _, x := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{args: []string{"app", "say", "a b", "--json", "-w"}, stdout: `["a b" "--json" "-w"] []` + "\n"},
		{args: []string{"--env", "CHOSEN", "--env", "NOT_SET", "--", "app", "--", "say", "--"}, stdout: `["--"] ["CHOSEN=x"]` + "\n"},
		{args: []string{"app"}},
		{args: []string{"app", "cat"}},
		{args: []string{"app", "fail"}, code: 9, stderr: "a word on standard error\n"},
		{args: []string{"app", "error"}, code: 1, stderr: "sole: app: out of luck?[31m\n"},
		{args: []string{"app", "panic"}, code: 1, stderr: "sole: app: oh\n"},
		{args: []string{"-w", "0.1", "app", "stay"}, code: 124, stdout: "staying\n", stderr: "sole: send: app has not answered within 100ms\n"},
		{args: []string{"other", "x"}, code: 3, stderr: "sole: send: other is not running\n"},
	} {
		o := b.expect(x.code, append([]string{"send"}, x.args...)...)
		if o.stdout != x.stdout || o.stderr != x.stderr {
			t.Errorf("send %q: %v", x.args, o)
		}
	}
	if line := h.line(); line != "left the client has gone\n" {
		t.Errorf("the handler was told: %q", line)
	}
	in := strings.Repeat("0123456789\n", 50_000)
	c := b.sole("send", "--stdin", "app", "cat")
	c.Stdin = strings.NewReader(in)
	if o := b.finish(c); o.code != 0 || o.stdout != in {
		t.Errorf("exit %d, %d bytes, %q", o.code, len(o.stdout), o.stderr)
	}
	huge := []string{"send", "app"}
	for range 10 {
		huge = append(huge, strings.Repeat("x", 120_000))
	}
	if o := b.run(huge...); o.code != 64 || !strings.Contains(o.stderr, "too many") {
		t.Errorf("more than a megabyte: exit %d, %q", o.code, o.stderr)
	}
	b.expect(69, "send", "app", "die")
	h.wait()
	b.expect(3, "send", "app", "say")
}

func TestSendThatIsWrong(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.expect(64, "send")
	b.expect(64, "send", "--")
	b.expect(64, "send", "--env", "", "app")
	b.expect(64, "send", "--no", "app")
	b.expect(64, "send", "../app", "x")
	must(t, os.WriteFile(filepath.Join(b.dir, "app.sock"), nil, 0o600))
	b.expect(77, "send", "app", "x")
	must(t, os.Remove(filepath.Join(b.dir, "app.sock")))
	// A holder that takes no messages, and one that is stopped.
	h := b.hold("app")
	o := b.expect(69, "send", "app", "x")
	mustContain(t, o.stderr, "app is held by pid", "takes no messages")
	h.release()
	h = b.app()
	must(t, h.Process.Signal(syscall.SIGSTOP))
	defer h.Process.Signal(syscall.SIGCONT)
	b.expect(124, "send", "-w", "0.2", "app", "x")
}

// To a server that takes no calls the words are a request of the protocol.
func TestSendToAServerOfAnotherKind(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	l, err := net.Listen("unix", filepath.Join(b.dir, "app.sock"))
	must(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "sole-control 1 app 812 41\n")
			buf := make([]byte, 100)
			n, _ := c.Read(buf)
			switch string(buf[:n]) {
			case "status\n":
				fmt.Fprintf(c, "{\"name\":\"app\"}\n")
			case "signal a%20b\n":
				fmt.Fprintf(c, "error failed no such signal\n")
			default:
				fmt.Fprintf(c, "ok\n")
			}
			_ = c.Close()
		}
	}()
	if o := b.expect(0, "send", "app", "status"); o.stdout != "{\"name\":\"app\"}\n" {
		t.Error(o)
	}
	if o := b.expect(1, "send", "app", "signal", "a b"); o.stderr != "sole: app: no such signal\n" {
		t.Error(o)
	}
	if o := b.expect(0, "send", "app", "reload"); o.stdout != "" {
		t.Error(o)
	}
	b.expect(64, "send", "app")
	b.expect(64, "send", "app", "status", "")
	b.expect(64, "send", "--stdin", "app", "status")
}

// The socket of a program of one instance tells what status --json does, to socat.
func TestStatusBySocat(t *testing.T) {
	t.Parallel()
	socat := need(t, "socat", "socat")
	b := newBox(t)
	h := b.app()
	c := b.command(socat, "-t", "20", "-", "UNIX-CONNECT:"+filepath.Join(b.dir, "app.sock"))
	c.Stdin = strings.NewReader("status\nstop\n")
	o := b.finish(c)
	lines := strings.Split(o.stdout, "\n")
	if len(lines) != 4 || lines[0] != fmt.Sprintf("sole-control 1 app %d 1 call", h.Process.Pid) || lines[2] != "ok" {
		t.Fatal(o)
	}
	var got, want map[string]any
	must(t, json.Unmarshal([]byte(lines[1]), &got))
	must(t, json.Unmarshal([]byte(b.run("status", "--json", "app").stdout), &want))
	delete(got, "seconds")
	delete(want, "seconds")
	for k, v := range want {
		if fmt.Sprint(got[k]) != fmt.Sprint(v) {
			t.Errorf("%s: %v by the socket, %v by the command", k, got[k], v)
		}
	}
}

// A user's socket in a directory that another one can enter is closed to that one.
func TestSendOfAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	b.app()
	must(t, os.Chmod(b.work, 0o755))
	must(t, os.Chmod(b.dir, 0o755))
	c := b.command(readableCopy(t), "send", "app", "say")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if o := b.finish(c); o.code != 77 || !strings.Contains(o.stderr, "app.sock") {
		t.Error(o)
	}
}

// readableCopy is the program where other users can run it.
func readableCopy(t *testing.T) string {
	dir, err := os.MkdirTemp("", "sole-cli-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	must(t, exec.Command("cp", binary, dir+"/sole").Run())
	return dir + "/sole"
}
