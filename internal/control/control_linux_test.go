package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long an event may take. Nothing waits for it to pass.
const patience = 20 * time.Second

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// echo answers a call with what it was asked.
func echo(_ context.Context, c *Call) (int, error) {
	fmt.Fprintf(c.Stdout, "%q %q %q\n", c.Words, c.Dir, c.Env)
	_, err := io.Copy(c.Stderr, c.Stdin)
	return len(c.Words), err
}

func config() Config {
	return Config{
		Greeting: Greeting{Name: "n", PID: os.Getpid(), Run: 3},
		Commands: map[string]func(context.Context, Peer, []string) (string, error){
			"status": func(context.Context, Peer, []string) (string, error) { return `{"name":"n"}`, nil },
			"words":  func(_ context.Context, _ Peer, w []string) (string, error) { return strings.Join(w, "|"), nil },
			"panic":  func(context.Context, Peer, []string) (string, error) { panic("at\nthe disco") },
			"fail":   func(context.Context, Peer, []string) (string, error) { return "", errors.New("no luck") },
		},
		Call: echo,
	}
}

func serve(t testing.TB, addr Address, cfg Config) *Server {
	t.Helper()
	l, err := Listen(soon(t), addr, "")
	must(t, err)
	s := Serve(l, cfg)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func connect(t testing.TB, addr Address) *Client {
	t.Helper()
	c, err := Connect(soon(t), addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// raw is a connection that says what it likes.
func raw(t testing.TB, addr Address) *conn {
	t.Helper()
	c, err := dial(soon(t), addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	c.readBy(time.Now().Add(patience))
	c.writeBy(time.Now().Add(patience))
	return c
}

func socketPath(t testing.TB) Address { return At(filepath.Join(t.TempDir(), "n.sock")) }

func TestCommands(t *testing.T) {
	addr := socketPath(t)
	serve(t, addr, config())
	c := connect(t, addr)
	if g := c.Greeting; g.Name != "n" || g.PID != os.Getpid() || g.Run != 3 || !g.Has(TakesCalls) {
		t.Errorf("%+v", g)
	}
	if c.Peer.PID != os.Getpid() || c.Peer.UID != os.Geteuid() {
		t.Errorf("%+v", c.Peer)
	}
	for _, x := range []struct {
		verb, want string
		words      []string
		code       Code
	}{
		{verb: "status", want: `{"name":"n"}`},
		{verb: "words", words: []string{"a b", "%", "ä\n"}, want: "a b|%|ä "},
		{verb: "panic", code: Panicked},
		{verb: "fail", code: Failed},
		{verb: "other", code: Unknown},
		{verb: "status", want: `{"name":"n"}`},
	} {
		got, err := c.Ask(soon(t), x.verb, x.words...)
		var remote *RemoteError
		if x.code == "" && (err != nil || got != x.want) || x.code != "" && (!errors.As(err, &remote) || remote.Code != x.code) {
			t.Errorf("%s: %q, %v", x.verb, got, err)
		}
	}
}

func TestCall(t *testing.T) {
	addr := socketPath(t)
	serve(t, addr, config())
	in := bytes.Repeat([]byte("0123456789\n"), 100_000) // many times the window
	var out, errs bytes.Buffer
	code, err := connect(t, addr).Call(soon(t), &CallRequest{
		Words: []string{"", "a\nb"}, Dir: "/x", Env: []string{"A=1"}, Stdin: bytes.NewReader(in), Stdout: &out, Stderr: &errs,
	})
	if code != 2 || err != nil || out.String() != `["" "a\nb"] "/x" ["A=1"]`+"\n" || !bytes.Equal(errs.Bytes(), in) {
		t.Errorf("%d, %v, %q, %d bytes", code, err, out.String(), errs.Len())
	}
}

// A reader that never ends keeps no call from ending, and nothing is left of it.
func TestCallThatTakesNoInput(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	cfg.Call = func(context.Context, *Call) (int, error) { return 4, nil }
	serve(t, addr, cfg)
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	if code, err := connect(t, addr).Call(soon(t), &CallRequest{Stdin: r}); code != 4 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

func TestCallsThatGoWrong(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	cfg.Limits.Call = 50 * time.Millisecond
	ended := make(chan error, 1)
	cfg.Call = func(ctx context.Context, c *Call) (int, error) {
		switch c.Words[0] {
		case "panic":
			panic("oh")
		case "exit":
			return 256, nil
		case "goexit":
			exitGoroutine()
		case "wait":
			<-ctx.Done()
			ended <- context.Cause(ctx)
		}
		return 0, errors.New("failed\nhere")
	}
	serve(t, addr, cfg)
	for word, want := range map[string]Code{"panic": Panicked, "exit": Failed, "goexit": Panicked, "wait": TimedOut, "x": Failed} {
		_, err := connect(t, addr).Call(soon(t), &CallRequest{Words: []string{word}})
		var remote *RemoteError
		if !errors.As(err, &remote) || remote.Code != want {
			t.Errorf("%s: %v", word, err)
		}
	}
	if err := <-ended; err != ErrTimeout {
		t.Error(err)
	}
}

func TestCallEndsWithItsClient(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	begun, ended := make(chan bool, 1), make(chan error, 1)
	cfg.Call = func(ctx context.Context, c *Call) (int, error) {
		begun <- true
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 0, nil
	}
	s := serve(t, addr, cfg)
	ctx, cancel := context.WithCancel(soon(t))
	go func() { <-begun; cancel() }()
	if _, err := connect(t, addr).Call(ctx, &CallRequest{Words: []string{"x"}, Stdin: neverEnds(t)}); err != context.Canceled {
		t.Error(err)
	}
	if err := <-ended; err != ErrGone {
		t.Error(err)
	}
	// One that does not send any more is still there, until it closes.
	c := raw(t, addr)
	_, _ = c.Write([]byte("do x\n"))
	must(t, c.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) }))
	<-begun
	select {
	case err := <-ended:
		t.Errorf("it ended with the last of the input: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	_ = c.Close()
	if err := <-ended; err != ErrGone {
		t.Error(err)
	}
	// And with the server.
	go func() { <-begun; _ = s.Close() }()
	if code, err := connect(t, addr).Call(soon(t), &CallRequest{Words: []string{"x"}}); code != 0 || err != nil {
		t.Errorf("the answer to a call under way: %d, %v", code, err)
	}
	if err := <-ended; err != ErrStopped {
		t.Error(err)
	}
	if _, err := Connect(soon(t), addr); err != ErrNobody {
		t.Errorf("after the end: %v", err)
	}
}

// neverEnds is an input that stays open.
func neverEnds(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r
}

func TestListenTwice(t *testing.T) {
	for _, addr := range []Address{socketPath(t), Abstract(os.Geteuid(), fmt.Sprint("test-", os.Getpid()))} {
		s := serve(t, addr, config())
		var busy *BusyError
		if _, err := Listen(soon(t), addr, ""); !errors.As(err, &busy) || busy.Greeting.Run != 3 || busy.Peer.PID != os.Getpid() {
			t.Errorf("%s: %v", addr, err)
		}
		must(t, s.Close())
		serve(t, addr, config())
	}
}

func TestModeFromTheBeginning(t *testing.T) {
	for _, umask := range []int{0, 0o777} {
		addr := socketPath(t)
		old := syscall.Umask(umask)
		l, err := Listen(soon(t), addr, "")
		syscall.Umask(old)
		must(t, err)
		st, err := os.Lstat(addr.String())
		must(t, err)
		if st.Mode().Perm() != 0o600 {
			t.Errorf("umask %04o: mode %v", umask, st.Mode())
		}
		must(t, l.Close())
	}
}

func TestLongPaths(t *testing.T) {
	addr := At(filepath.Join(t.TempDir(), strings.Repeat("d", 150), strings.Repeat("n", 128)+".sock"))
	dir, _ := addr.split()
	must(t, os.Mkdir(dir, 0o700))
	s := serve(t, addr, config())
	connect(t, addr)
	must(t, s.Close())
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestOnlyOwnFileIsRemoved(t *testing.T) {
	addr := socketPath(t)
	first := serve(t, addr, config())
	must(t, os.Remove(addr.String()))
	serve(t, addr, config())
	must(t, first.Close())
	connect(t, addr)
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	addr := socketPath(t)
	must(t, os.WriteFile(addr.String(), []byte("x"), 0o600))
	var place *PlaceError
	if _, err := Listen(soon(t), addr, ""); !errors.As(err, &place) {
		t.Error(err)
	}
	if _, err := os.Stat(addr.String()); err != nil {
		t.Error(err)
	}
}
