package main

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// crowd is a set of waiter processes. Each can wait in every way, so that the same ones do
// for all contenders.
type crowd struct {
	procs []*exec.Cmd
	begin []io.WriteCloser // a byte here sends the waiter waiting
	turns *os.File
}

// queue is a crowd that waits in one way, and what was seen of it.
type queue struct {
	*crowd
	kind    string
	number  byte // of the kind
	take    taker
	got     sample
	flipped int // acquired before one that had come earlier
	overlap int // acquired before the one in front began to release
}

// newCrowd starts n waiters.
func (b *bench) newCrowd(dir string, n int) (*crowd, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	c := &crowd{turns: r}
	b.undo.add(c.close)
	for i := range n {
		cmd := exec.Command(b.self, helperWord, "wait", dir, strconv.Itoa(i))
		cmd.Stdout, cmd.Stderr = w, os.Stderr
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return c, err
		}
		c.procs, c.begin = append(c.procs, cmd), append(c.begin, in)
	}
	return c, nil
}

// queues are the crowd's ways to wait.
func (c *crowd) queues(dir string) []*queue {
	var all []*queue
	for i, kind := range kinds {
		all = append(all, &queue{crowd: c, kind: kind, number: byte(i), take: takerOf(kind, dir)})
	}
	return all
}

// close ends the waiters and collects them. A second call does nothing.
func (c *crowd) close() {
	for i, p := range c.procs {
		_ = c.begin[i].Close()
		_ = p.Process.Kill()
	}
	for _, p := range c.procs {
		_ = p.Wait()
	}
	c.procs, c.begin = nil, nil
	_ = c.turns.Close()
}

// memory is what the waiters have for themselves, in MB.
func (c *crowd) memory() int {
	kb := 0
	for _, p := range c.procs {
		kb += statusOf(p.Process.Pid, "RssAnon:")
	}
	return kb / 1024
}

// lineUp sends all waiters waiting, one after the other.
func (q *queue) lineUp() error {
	for i, p := range q.procs {
		if _, err := q.begin[i].Write([]byte{q.number}); err != nil {
			return err
		}
		if err := blocked(p.Process.Pid); err != nil {
			return err
		}
	}
	return nil
}

// round lines all waiters up, lets go, and reads what they saw.
func (q *queue) round(keep bool) error {
	release, err := q.take()
	if err != nil {
		return err
	}
	if err := q.lineUp(); err != nil {
		return errors.Join(err, release())
	}
	let := stamp()
	if err := release(); err != nil {
		return err
	}
	buf, err := q.reports()
	if err == nil && keep {
		q.judge(let, buf)
	}
	return err
}

// reports is what each waiter says of its turn.
func (q *queue) reports() ([]byte, error) {
	// Reading at once would wake this process for each turn, on the cores that the
	// waiters need.
	time.Sleep(time.Duration(len(q.procs)) * 150 * time.Microsecond)
	buf := make([]byte, turnSize*len(q.procs))
	if err := q.turns.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(q.turns, buf); err != nil {
		return nil, fmt.Errorf("a waiter did not report: %w", err)
	}
	return buf, nil
}

type turn struct{ number, got, released int64 }

func (q *queue) judge(let int64, buf []byte) {
	var turns []turn
	for ; len(buf) > 0; buf = buf[turnSize:] {
		at := func(i int) int64 { return int64(binary.NativeEndian.Uint64(buf[i:])) }
		turns = append(turns, turn{at(0), at(8), at(16)})
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.got, b.got) })
	for i, t := range turns {
		if i > 0 && t.number < turns[i-1].number {
			q.flipped++
		}
		if t.got < let {
			q.overlap++
		}
		q.got = append(q.got, time.Duration(t.got-let))
		let = t.released
	}
}

// blocked returns when a thread of the process is in flock(2). Nothing but a lock that
// another has keeps it there for longer than a look takes.
func blocked(pid int) error {
	// With its arguments, the second LOCK_EX: a thread that was preempted while it
	// tried with LOCK_NB does not wait.
	want := regexp.MustCompile(fmt.Sprintf("^%d 0x[0-9a-f]+ 0x%x ", syscall.SYS_FLOCK, syscall.LOCK_EX))
	dir := fmt.Sprintf("/proc/%d/task", pid)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		tasks, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			// "running" for a thread that does not sleep.
			call, _ := os.ReadFile(filepath.Join(dir, t.Name(), "syscall"))
			if want.Match(call) {
				return nil
			}
		}
		time.Sleep(20 * time.Microsecond)
	}
	return fmt.Errorf("process %d does not wait", pid)
}
