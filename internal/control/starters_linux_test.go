package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const helperEnv = "SOLE_CONTROL_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "start":
		startAgainAndAgain()
		return
	case "serve":
		serveUntilEOF()
		return
	case "ask":
		askOnce()
		return
	}
	os.Exit(m.Run())
}

// helper is this program as one of its helpers.
func helper(t *testing.T, kind string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	c := exec.Command(exe, args...)
	c.Env = append(os.Environ(), helperEnv+"="+kind)
	c.Stderr = os.Stderr
	return c
}

// startAgainAndAgain listens at the path given each time it may pass the gate, descriptor 3, says
// whether it does, and drops the socket without removing it when it is told to.
func startAgainAndAgain() {
	addr, guard := At(os.Args[1]), os.Args[2]
	in, gate, pass := bufio.NewScanner(os.Stdin), os.NewFile(3, "gate"), make([]byte, 1)
	for {
		fmt.Println("ready")
		if n, _ := gate.Read(pass); n == 0 {
			return
		}
		l, err := Listen(context.Background(), addr, guard)
		var busy *BusyError
		var s *Server
		switch {
		case err == nil:
			s = Serve(l, config())
			fmt.Println("listens")
		case errors.As(err, &busy):
			fmt.Println("busy")
		default:
			fmt.Println(err)
		}
		if !in.Scan() {
			return
		}
		if s != nil {
			l.guard, l.ino = "", 0 // as if it were killed: the file stays
			_ = s.Close()
		}
	}
}

// starters counts the rounds in which not exactly one of n listens.
func starters(t *testing.T, n, rounds int, guarded bool) (wrong int) {
	addr := socketPath(t)
	guard := ""
	if guarded {
		guard = filepath.Join(t.TempDir(), "guard")
	}
	leaveStale(t, addr)
	gateR, gateW, err := os.Pipe()
	must(t, err)
	var outs []*bufio.Scanner
	var ins []*os.File
	for range n {
		c := helper(t, "start", addr.String(), guard)
		c.ExtraFiles = []*os.File{gateR}
		r, w, err := os.Pipe()
		must(t, err)
		c.Stdin = r
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		_ = r.Close()
		t.Cleanup(func() { _ = w.Close(); _ = gateW.Close(); _ = c.Wait() })
		outs, ins = append(outs, bufio.NewScanner(out)), append(ins, w)
	}
	_ = gateR.Close()
	line := func(i int) string {
		if !outs[i].Scan() {
			t.Fatalf("starter %d has ended", i)
		}
		return outs[i].Text()
	}
	for range rounds {
		for i := range outs {
			line(i) // ready
		}
		_, err := gateW.Write(make([]byte, n)) // everybody at once
		must(t, err)
		listen := 0
		for i := range outs {
			switch said := line(i); said {
			case "listens":
				listen++
			case "busy":
			default: // two that overwrite each other's socket fail in many ways
				if guarded {
					t.Fatal(said)
				}
			}
		}
		if listen != 1 {
			wrong++
		}
		if guarded { // and it answers
			c, err := Connect(soon(t), addr)
			must(t, err)
			_ = c.Close()
		}
		for _, in := range ins {
			_, _ = in.WriteString("next\n")
		}
	}
	return wrong
}

// leaveStale makes a socket file at which nobody listens.
func leaveStale(t *testing.T, addr Address) {
	fd, err := newSocket()
	must(t, err)
	must(t, unix.Bind(fd, &unix.SockaddrUnix{Name: addr.String()}))
	must(t, unix.Close(fd))
}

func TestOneOfEightListens(t *testing.T) {
	if wrong := starters(t, 8, 300, true); wrong > 0 {
		t.Errorf("%d of 300 rounds did not have one listener", wrong)
	}
}

// Without the guard it goes wrong, which the harness sees.
func TestOneOfEightListensControl(t *testing.T) {
	wrong := 0
	for i := 0; i < 20 && wrong == 0; i++ {
		wrong += starters(t, 8, 50, false)
	}
	if wrong == 0 {
		t.Error("there never were two listeners without a guard: the harness does not see them")
	}
}

// serveUntilEOF serves at the path or abstract name given.
func serveUntilEOF() {
	addr := At(os.Args[1])
	if strings.HasPrefix(os.Args[1], "@") {
		addr = Address{os.Args[1]}
	}
	l, err := Listen(context.Background(), addr, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := Serve(l, config())
	fmt.Println("up")
	bufio.NewScanner(os.Stdin).Scan()
	_ = s.Close()
}

// askOnce says how connecting to the address given ends, by the client here and raw.
func askOnce() {
	addr := Address{os.Args[1]}
	_, err := Connect(context.Background(), addr)
	fmt.Printf("%T\n", err)
	c, err := dial(context.Background(), addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	line, err := (&reader{src: c}).line()
	fmt.Println(line, err)
}
