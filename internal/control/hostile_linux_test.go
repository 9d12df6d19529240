package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a server has taken of this process.
func usage() (goroutines int, heap uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc + m.StackInuse
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// hostile are ways to treat a server badly, by a connection that stays open.
var hostile = map[string]func(c *conn){
	"says nothing": func(*conn) {},
	"slow":         func(c *conn) { _, _ = c.Write([]byte("sta")) },
	"slow call":    func(c *conn) { _, _ = c.Write([]byte("call\narg 131072\nx")) },
	"huge line":    func(c *conn) { _, _ = c.Write(bytes.Repeat([]byte("x"), 1<<20)) },
	"huge call": func(c *conn) {
		_, _ = c.Write([]byte("call\n" + strings.Repeat("arg 100000\n"+strings.Repeat("x", 100000)+"\n", 12)))
	},
	"many items": func(c *conn) { _, _ = c.Write([]byte("call\n" + strings.Repeat("arg 0\n\n", 5000))) },
	"garbage":    func(c *conn) { _, _ = c.Write([]byte("\x00\xff\n\n\nGET / HTTP/1.1\r\n\r\n")) },
	"unwanted input": func(c *conn) {
		_, _ = c.Write([]byte("call\narg 5\nstall\ngo in\n" + strings.Repeat("in 60000\n"+strings.Repeat("x", 60000)+"\n", 20)))
	},
	"no input":         func(c *conn) { _, _ = c.Write([]byte("call\ngo in\nout 3\nabc\n")) },
	"half-open":        func(c *conn) { _ = c.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) }) },
	"deaf to commands": func(c *conn) { _, _ = c.Write(bytes.Repeat([]byte("status\n"), 50_000)) },
	"deaf to a call":   func(c *conn) { _, _ = c.Write([]byte("do flood\n")) },
}

// honest asks as one should, again if it is told that the server is busy.
func honest(t *testing.T, addr Address) {
	t.Helper()
	eventually(t, "an honest client", func() bool {
		c, err := Connect(soon(t), addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, err := c.Ask(soon(t), "status")
		var remote *RemoteError
		var lost *LostError
		// Slow: of a limit that is short for the test's sake.
		if errors.As(err, &remote) && (remote.Code == Busy || remote.Code == Slow) || errors.As(err, &lost) {
			return false
		}
		if err != nil || got != `{"name":"n"}` {
			t.Fatalf("%q, %v", got, err)
		}
		return true
	})
}

// stall serves calls that take no input, or write without end.
func stall(ctx context.Context, c *Call) (int, error) {
	if len(c.Words) > 0 && c.Words[0] == "flood" {
		for b := make([]byte, 1<<16); ; {
			if _, err := c.Stdout.Write(b); err != nil {
				return 1, err
			}
		}
	}
	<-ctx.Done()
	return 1, context.Cause(ctx)
}

func TestHostileClients(t *testing.T) {
	for name, act := range hostile {
		t.Run(name, func(t *testing.T) {
			addr := socketPath(t)
			cfg := config()
			cfg.Call = stall
			cfg.Limits = Limits{Request: 300 * time.Millisecond, Write: 300 * time.Millisecond, Call: time.Second}
			s := serve(t, addr, cfg)
			before, heap := usage()
			var wg sync.WaitGroup
			var all []*conn
			for range 100 {
				c := raw(t, addr)
				c.writeBy(time.Now().Add(patience))
				all = append(all, c)
				wg.Go(func() { act(c) })
			}
			honest(t, addr)
			now, heapNow := usage()
			// The test has a goroutine a client too, and what it sends.
			if limit := before + 100 + 3*DefaultLimits.Conns; now > limit {
				t.Errorf("%d goroutines, more than %d", now, limit)
			}
			if grown := int64(heapNow) - int64(heap); grown > 250<<20 {
				t.Errorf("memory grew by %d MB", grown>>20)
			}
			// The deadlines end them all, while they stay open.
			eventually(t, "the end of the connections", func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return len(s.conns) == 0
			})
			if left := s.pending.Load(); left != 0 {
				t.Errorf("%d bytes are still reserved", left)
			}
			honest(t, addr)
			for _, c := range all {
				_ = c.Close()
			}
			wg.Wait()
			must(t, s.Close())
			eventually(t, "the end of the goroutines", func() bool { n, _ := usage(); return n <= before })
		})
	}
}

func TestThousandsOfConnections(t *testing.T) {
	var lim syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim))
	n := min(4000, int(lim.Cur)-200)
	addr := socketPath(t)
	c := server(t, addr, -1)
	var all []*conn
	most := 0
	for i := range n {
		fd := raw(t, addr)
		_, _ = fd.Write([]byte("s"))
		all = append(all, fd)
		if i%500 == 0 {
			honest(t, addr)
			fds, err := os.ReadDir("/proc/" + itoa(c.Process.Pid) + "/fd")
			must(t, err)
			most = max(most, len(fds))
		}
	}
	if most > 2*DefaultLimits.Conns+20 {
		t.Errorf("the server had %d descriptors", most)
	}
	if kb := resident(t, c.Process.Pid); kb > 60<<10 {
		t.Errorf("the server has %d kB of memory", kb)
	}
	// All but the last were told why they were closed.
	for _, fd := range all[:n-DefaultLimits.Conns-10] {
		b, err := io.ReadAll(fd)
		if err != nil && !errors.Is(err, unix.ECONNRESET) || !strings.Contains(string(b), "error busy") {
			t.Fatalf("%q, %v", b, err)
		}
	}
}

// All that works is at work: a new one is greeted and told so.
func TestAllAtWork(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	cfg.Call = stall
	cfg.Limits.Conns, cfg.Limits.PerUser = 3, 3
	serve(t, addr, cfg)
	for range 3 {
		c := raw(t, addr)
		_, _ = c.Write([]byte("do x\n"))
		r := &reader{src: c}
		for range 2 { // the greeting, begin
			_, err := r.line()
			must(t, err)
		}
	}
	_, err := connect(t, addr).Call(soon(t), &CallRequest{Words: []string{"x"}})
	var remote *RemoteError
	if !errors.As(err, &remote) || remote.Code != Busy {
		t.Error(err)
	}
	var busy *BusyError
	if _, err := Listen(soon(t), addr, ""); !errors.As(err, &busy) || busy.Greeting.Name != "n" {
		t.Errorf("the handshake: %v", err)
	}
}

func TestSlowRequestIsToldSo(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	cfg.Limits.Request = 20 * time.Millisecond
	serve(t, addr, cfg)
	c := raw(t, addr)
	b, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(b), "\nerror slow ") {
		t.Errorf("%q, %v", b, err)
	}
}

// Input that was not asked for is not kept: the call is cancelled.
func TestUnwantedInput(t *testing.T) {
	addr := socketPath(t)
	cfg := config()
	cfg.Call = stall
	serve(t, addr, cfg)
	for _, more := range []string{"", "in 1\nx\n"} {
		c := raw(t, addr)
		_, err := c.Write([]byte("call\ngo in\n" + strings.Repeat("in 32768\n"+strings.Repeat("x", 32768)+"\n", Window/32768) + more))
		must(t, err)
		if more == "" {
			continue
		}
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), "more input than was asked for") {
			t.Errorf("%q, %v", b, err)
		}
	}
}
