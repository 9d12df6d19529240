package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A doctor that is told to end leaves no file behind: it is told so when it has made one.
func TestDoctorLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := newBox(t).slow()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGKILL} {
		for range 5 {
			made := b.watch(unix.IN_CREATE)
			l := b.launch(b.sole("doctor", "--timeout", "1m"))
			name := made()
			if !strings.HasPrefix(name, ".doctor~") {
				t.Fatalf("a file %q was made", name)
			}
			must(t, l.Process.Signal(sig))
			o := l.wait()
			if sig != syscall.SIGKILL {
				b.noProbe(b.dir)
			}
			// After SIGKILL its helpers tidy up by themselves. None of them goes on alone.
			b.eventually("its helpers have ended", func() bool { return !b.anybodyHere() })
			b.noProbe(b.dir)
			if o.signal != sig || o.stdout != "" {
				t.Errorf("ended by %v: %v", sig, o)
			}
		}
	}
}

// Whatever hangs is told of, and ended.
func TestDoctorOfAProgramThatHangs(t *testing.T) {
	t.Parallel()
	b := newBox(t).slow()
	d := b.doctor("--timeout", "2s")
	d.is(t, "cron", "failure", "did not answer within 2s")
	if d.code != 71 {
		t.Errorf("exit %d", d.code)
	}
	b.eventually("nothing is left of it", func() bool { return !b.anybodyHere() })
}

// slow gives the box a crontab(1) that does not end, so that a doctor does not either.
func (b *box) slow() *box {
	b.Helper()
	must(b, os.Mkdir(b.file("bin"), 0o755))
	must(b, os.WriteFile(b.file("bin/crontab"), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755))
	b.env = append(b.env, "PATH="+b.file("bin")+":"+os.Getenv("PATH"))
	return b
}

// anybodyHere reports whether some process has this box's SOLE_DIR.
func (b *box) anybodyHere() bool {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		if env, err := os.ReadFile(file); err == nil && strings.Contains(string(env), "SOLE_DIR="+b.dir+"\x00") {
			return true
		}
	}
	return false
}

// A key at the terminal reaches the doctor's whole process group.
func TestDoctorInterruptedAtTheTerminal(t *testing.T) {
	t.Parallel()
	b := newBox(t).slow()
	for range 5 {
		made := b.watch(unix.IN_CREATE)
		c := b.sole("doctor", "--timeout", "1m")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		l := b.launch(c)
		made()
		must(t, syscall.Kill(-l.Process.Pid, syscall.SIGINT))
		if o := l.wait(); o.signal != syscall.SIGINT {
			t.Errorf("it ended so: %v", o)
		}
		b.noProbe(b.dir)
	}
}

// watch returns a function that waits for an event in the directory of names, and
// returns the name of the file.
func (b *box) watch(mask uint32) func() string {
	b.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	must(b, err)
	_, err = unix.InotifyAddWatch(fd, b.dir, mask)
	must(b, err)
	return func() string {
		b.Helper()
		defer unix.Close(fd)
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(p, int(patience.Milliseconds()))
			if err == unix.EINTR {
				continue
			}
			must(b, err)
			if n == 0 {
				b.Fatal("nothing happened in the directory")
			}
			break
		}
		buf := make([]byte, 4096)
		n, err := unix.Read(fd, buf)
		must(b, err)
		return string(buf[unix.SizeofInotifyEvent:n][:strings.IndexByte(string(buf[unix.SizeofInotifyEvent:n])+"\x00", 0)])
	}
}

// A user whose inotify instances are used up learns what that means.
func TestDoctorOfInotify(t *testing.T) {
	t.Parallel()
	needRoot(t)
	const uid = 4061234 // whose instances nobody else uses
	b := newBoxFor(t, uid)
	program, err := os.ReadFile(helper) // which lies where that user cannot reach it
	must(t, err)
	must(t, os.WriteFile(b.file("helper"), program, 0o755))
	c := b.command(b.file("helper"))
	c.Env = append(c.Env, helperEnv+"=inotify")
	h := b.start(c)
	d := b.doctor()
	d.is(t, "inotify", "warning", "none to be had", "max_user_instances")
	if d.code != 0 {
		t.Errorf("exit %d", d.code)
	}
	h.release()
	b.doctor().is(t, "inotify", "ok")
}

// takeInotify takes all inotify instances of its user, until standard input ends.
func takeInotify() {
	for {
		if _, err := unix.InotifyInit1(0); err != nil {
			break
		}
	}
	fmt.Printf("up %d\n", os.Getpid())
	_, _ = os.Stdin.Read(make([]byte, 1))
}
