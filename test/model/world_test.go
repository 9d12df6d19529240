//go:build linux

package model

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"pgregory.net/rapid"
)

// patience is how long the program may take to come to what the model says. Nothing
// waits for it to pass.
const patience = 30 * time.Second

// script is the command under sole: it says who it is, and ends when and as it is told.
const script = `echo "$$ $SOLE_RUN ${SOLE_SLOT:-0} $SOLE_NAME"; read -r code; exit "${code:-0}"`

// world is the processes of a sequence, and what was seen of them.
type world struct {
	*rapid.T
	dir    string
	starts []*start
	events chan event
	over   chan struct{}
}

// event is something that a process did.
type event struct {
	s    *start
	what func() // notes it down
}

// sight is what was seen of a start.
type sight struct {
	up     bool
	pid    int // the command's
	run    uint64
	slot   int
	name   string
	exited bool
	status syscall.WaitStatus
	closed bool // standard output: neither sole nor its command live
	silent bool // standard error likewise
	said   string
}

func newWorld(t *rapid.T) *world {
	dir, err := os.MkdirTemp("", "sole-model-names-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, dir: dir, events: make(chan event), over: make(chan struct{})}
	t.Cleanup(w.close)
	return w
}

// close ends every process that is left. A command ends when its standard input does.
func (w *world) close() {
	for _, s := range w.starts {
		s.stdin.Close()
		if !s.seen.exited {
			_ = s.cmd.Process.Kill()
		}
	}
	for _, s := range w.starts {
		for !s.seen.exited || !s.seen.closed || !s.seen.silent {
			(<-w.events).what()
		}
	}
	close(w.over)
	_ = os.RemoveAll(w.dir)
}

func (w *world) sole(args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Env = append(os.Environ(), "SOLE_DIR="+w.dir)
	return c
}

// spawn starts s.
func (w *world) spawn(s *start) {
	s.cmd = w.sole(append(append([]string{"run"}, s.flags()...), s.name, "--", "/bin/sh", "-c", script)...)
	stdin, in := w.pipe()
	out, stdout := w.pipe()
	errs, stderr := w.pipe()
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr, s.stdin = stdin, stdout, stderr, in
	if err := s.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	for _, f := range []*os.File{stdin, stdout, stderr} {
		f.Close()
	}
	w.starts = append(w.starts, s)
	go func() {
		defer out.Close()
		in := bufio.NewScanner(out)
		for in.Scan() {
			w.tell(s, func() { s.isUp(in.Text()) })
		}
		w.tell(s, func() { s.seen.closed = true })
	}()
	go func() {
		defer errs.Close()
		b, _ := io.ReadAll(errs)
		w.tell(s, func() { s.seen.silent, s.seen.said = true, string(b) })
	}()
	go func() {
		_ = s.cmd.Wait()
		ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
		w.tell(s, func() { s.seen.exited, s.seen.status = true, ws })
	}()
}

func (w *world) pipe() (r, wr *os.File) {
	r, wr, err := os.Pipe()
	if err != nil {
		w.Fatal(err)
	}
	return r, wr
}

// tell has the sequence note something down; it returns when that is done.
func (w *world) tell(s *start, what func()) {
	done := make(chan struct{})
	select {
	case w.events <- event{s, func() { what(); close(done) }}:
		<-done
	case <-w.over:
	}
}

func (s *start) isUp(line string) {
	s.seen.up = true
	if n, err := fmt.Sscan(line, &s.seen.pid, &s.seen.run, &s.seen.slot, &s.seen.name); n != 4 || err != nil {
		s.seen.name = "? " + line
	}
}

// pump notes events down until all starts are as the model wants them.
func (w *world) pump() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		var missing []string
		for _, s := range w.starts {
			m, wrong := s.compare()
			if wrong {
				w.Fatalf("%s %s", s, m)
			}
			if m != "" {
				missing = append(missing, fmt.Sprintf("%s %s", s, m))
			}
		}
		if len(missing) == 0 {
			return
		}
		select {
		case e := <-w.events:
			e.what()
		case <-timer.C:
			w.Fatalf("not within %s:\n%s", patience, strings.Join(missing, "\n"))
		}
	}
}

// slotOf returns which slot s has got.
func (w *world) slotOf(s *start) int {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !s.seen.up {
		select {
		case e := <-w.events:
			e.what()
		case <-timer.C:
			w.Fatalf("%s has no slot within %s", s, patience)
		}
	}
	return s.seen.slot
}

// late notes down what has happened without a reason.
func (w *world) late() {
	for {
		select {
		case e := <-w.events:
			e.what()
		default:
			w.pump()
			return
		}
	}
}

// compare says how s differs from what is wanted of it; wrong: and will not mend.
func (s *start) compare() (differs string, wrong bool) {
	v := &s.seen
	if v.exited && !v.up && v.silent && s.want != skipped && s.want != killed {
		return fmt.Sprintf("ended with %s and said %q", ended(v.status), v.said), true
	}
	switch s.want {
	case waits, skipped, killed:
		if v.up {
			return fmt.Sprintf("has run %d, slot %d", v.run, v.slot), true
		}
		if s.want == waits {
			return "", false
		}
	case holds, done:
		if !v.up {
			return "is not up", false
		}
		if m := s.compareRun(); m != "" {
			return m, true
		}
		if s.want == holds && (v.exited != s.orphaned || v.closed) {
			return fmt.Sprintf("exited %v: %s; closed: %v", v.exited, ended(v.status), v.closed), !s.orphaned || v.closed
		}
		if s.want == holds {
			return "", false
		}
	}
	if !v.exited || !v.closed || !v.silent {
		return "is not over", false
	}
	if got := ended(v.status); got != s.end {
		return fmt.Sprintf("ended with %s and said %q, not with %s", got, v.said, s.end), true
	}
	for _, part := range s.says {
		if !strings.Contains(v.said, part) {
			return fmt.Sprintf("said %q, not %q", v.said, part), true
		}
	}
	if s.says == nil && v.said != "" {
		return fmt.Sprintf("said %q", v.said), true
	}
	return "", false
}

// compareRun compares the run.
func (s *start) compareRun() string {
	v := &s.seen
	if v.name != s.name {
		return fmt.Sprintf("runs as %q", v.name)
	}
	if !s.runs[v.run] {
		return fmt.Sprintf("has the run number %d, not one of %v", v.run, s.runs)
	}
	if v.slot != s.slot {
		return fmt.Sprintf("has slot %d, not %d", v.slot, s.slot)
	}
	return ""
}

func ended(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return ws.Signal().String()
	}
	return exit(ws.ExitStatus())
}

func exit(code int) string { return fmt.Sprintf("exit %d", code) }

// ask runs a sole command that says something and ends.
func (w *world) ask(code int, args ...string) string {
	var out, errs bytes.Buffer
	c := w.sole(args...)
	c.Stdout, c.Stderr = &out, &errs
	timer := time.AfterFunc(patience, func() {
		if c.Process != nil {
			_ = c.Process.Kill()
		}
	})
	defer timer.Stop()
	_ = c.Run()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != code && code >= 0 {
		w.Fatalf("sole %q: %v, not exit %d; it said %q, %q", args, c.ProcessState, code, out.String(), errs.String())
	}
	return out.String()
}

// eventually polls for what nobody announces, until differs says nothing.
func (w *world) eventually(differs func() string) {
	for end := time.Now().Add(patience); ; {
		d := differs()
		if d == "" {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("not within %s: %s", patience, d)
		}
		t := time.NewTimer(time.Millisecond)
		<-t.C
	}
}
