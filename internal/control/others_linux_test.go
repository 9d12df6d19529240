package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// server starts a server in a process of its own.
func server(t *testing.T, addr Address, uid int) *exec.Cmd {
	t.Helper()
	c := helper(t, "serve", addr.String())
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // in an orphaned group nothing is stopped
	if uid >= 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
		c.Path = readable(t, c.Path)
	}
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Signal(syscall.SIGCONT)
		_ = c.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

// readable copies a program to where other users can run it.
func readable(t *testing.T, program string) string {
	dir, err := os.MkdirTemp("", "sole-control-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	b, err := os.ReadFile(program)
	must(t, err)
	must(t, os.WriteFile(dir+"/helper", b, 0o755))
	return dir + "/helper"
}

func TestStoppedHolderIsBusy(t *testing.T) {
	for _, addr := range []Address{socketPath(t), Abstract(os.Geteuid(), fmt.Sprint("stopped-", os.Getpid()))} {
		c := server(t, addr, -1)
		must(t, c.Process.Signal(syscall.SIGSTOP))
		var ws syscall.WaitStatus
		_, err := syscall.Wait4(c.Process.Pid, &ws, syscall.WUNTRACED, nil)
		must(t, err)
		busyAndSilent(t, addr, c.Process.Pid)
		must(t, c.Process.Signal(syscall.SIGCONT))
		if got := connect(t, addr); got.Peer.PID != c.Process.Pid {
			t.Errorf("%+v", got.Peer)
		}
	}
}

// busyAndSilent expects that somebody who does not answer is not taken for dead.
func busyAndSilent(t *testing.T, addr Address, pid int) {
	t.Helper()
	var busy *BusyError
	var silent *SilentError
	begin := time.Now()
	_, err := Listen(soon(t), addr, "")
	if !errors.As(err, &busy) || !errors.As(err, &silent) || busy.Peer.PID != pid {
		t.Errorf("%s: %v", addr, err)
	}
	if d := time.Since(begin); d < Handshake || d > Handshake+patience/2 {
		t.Errorf("it took %s", d)
	}
}

func TestFullBacklogIsBusy(t *testing.T) {
	for _, addr := range []Address{socketPath(t), Abstract(os.Geteuid(), fmt.Sprint("full-", os.Getpid()))} {
		l, err := Listen(soon(t), addr, "")
		must(t, err)
		defer l.Close()
		// A socket that is not accepted from takes backlog+1 connections.
		for i := 0; ; i++ {
			fd, err := newSocket()
			must(t, err)
			defer unix.Close(fd)
			err = unix.Connect(fd, &unix.SockaddrUnix{Name: addr.String()})
			if err == unix.EAGAIN {
				break
			}
			must(t, err)
			if i > 2*backlog {
				t.Fatal("the backlog has no end")
			}
		}
		busyAndSilent(t, addr, 0)
	}
}

func TestSomethingElseIsBusy(t *testing.T) {
	addr := socketPath(t)
	l, err := Listen(soon(t), addr, "")
	must(t, err)
	defer l.Close()
	go func() {
		fd, err := l.accept()
		if err == nil {
			_, _ = unix.Write(fd, []byte("SSH-2.0-x\n"))
			defer unix.Close(fd)
			_, _ = l.accept() // until the end
		}
	}()
	var busy *BusyError
	var other *ProtocolError
	if _, err := Listen(soon(t), addr, ""); !errors.As(err, &busy) || !errors.As(err, &other) {
		t.Error(err)
	}
}

func TestGuardIsWaitedForInVain(t *testing.T) {
	path := t.TempDir() + "/guard"
	g, err := lockGuard(soon(t), path)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	var busy *BusyError
	if _, err := Listen(ctx, socketPath(t), path); !errors.As(err, &busy) {
		t.Error(err)
	}
	g.unlock()
	l, err := Listen(soon(t), socketPath(t), path)
	must(t, err)
	must(t, l.Close())
}

const nobody = 65534

func needRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func TestAnotherUserIsRefused(t *testing.T) {
	needRoot(t)
	addr := Abstract(0, fmt.Sprint("refuse-", os.Getpid()))
	serve(t, addr, config())
	c := helper(t, "ask", addr.String())
	c.Path = readable(t, c.Path)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.Output()
	// Root's server is trusted by the client, which is refused without a greeting.
	want := "*control.RemoteError\nerror not-permitted not for this user <nil>\n"
	if err != nil || string(out) != want {
		t.Errorf("%q, %v", out, err)
	}
}

func TestSquatterIsNamedAndNotObeyed(t *testing.T) {
	needRoot(t)
	addr := Abstract(0, fmt.Sprint("squat-", os.Getpid()))
	c := server(t, addr, nobody)
	for _, f := range []func() error{
		func() error { _, err := Listen(soon(t), addr, ""); return err },
		func() error { _, err := Connect(soon(t), addr); return err },
	} {
		var stranger *StrangerError
		if err := f(); !errors.As(err, &stranger) || stranger.Peer.UID != nobody || stranger.Peer.PID != c.Process.Pid {
			t.Error(err)
		}
	}
	// A socket file of another user, too.
	path := socketPath(t)
	leaveStale(t, path)
	must(t, os.Chown(path.String(), nobody, nobody))
	var stranger *StrangerError
	if _, err := Listen(soon(t), path, ""); !errors.As(err, &stranger) || stranger.Peer.UID != nobody {
		t.Error(err)
	}
	if _, err := os.Lstat(path.String()); err != nil {
		t.Error("it was removed")
	}
}

func TestPeersPidfd(t *testing.T) {
	addr := socketPath(t)
	c := server(t, addr, -1)
	fd, err := connect(t, addr).Pidfd()
	if errors.Is(err, unix.ENOPROTOOPT) {
		t.Skip("before Linux 6.5")
	}
	must(t, err)
	defer unix.Close(fd)
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	must(t, err)
	if !strings.Contains(string(info), fmt.Sprintf("Pid:\t%d\n", c.Process.Pid)) {
		t.Errorf("%s", info)
	}
}
