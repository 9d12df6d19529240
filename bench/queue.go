package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// queue is a set of waiter processes of one kind.
type queue struct {
	kind    string
	take    taker
	procs   []*exec.Cmd
	begin   []io.WriteCloser // a byte here sends the waiter waiting
	turns   *os.File
	got     sample
	flipped int // acquired before one that had come earlier
	overlap int // acquired before the one in front began to release
}

func (b *bench) newQueue(kind, path string, n int) (*queue, error) {
	q := &queue{kind: kind, take: takerOf(kind, path)}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	q.turns = r
	b.undo.add(q.close)
	for i := range n {
		cmd := exec.Command(b.self, helperWord, "wait", kind, path, strconv.Itoa(i))
		cmd.Stdout, cmd.Stderr = w, os.Stderr
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return q, err
		}
		q.procs, q.begin = append(q.procs, cmd), append(q.begin, in)
	}
	return q, nil
}

// close ends the waiters and collects them. A second call does nothing.
func (q *queue) close() {
	for i, p := range q.procs {
		_ = q.begin[i].Close()
		_ = p.Process.Kill()
		_ = p.Wait()
	}
	q.procs, q.begin = nil, nil
	_ = q.turns.Close()
}

// round lines all waiters up one after the other, lets go, and reads what they saw.
func (q *queue) round(keep bool) error {
	release, err := q.take()
	if err != nil {
		return err
	}
	for i, p := range q.procs {
		if _, err := q.begin[i].Write([]byte{1}); err != nil {
			return errors.Join(err, release())
		}
		if err := blocked(p.Process.Pid); err != nil {
			return errors.Join(err, release())
		}
	}
	let := stamp()
	if err := release(); err != nil {
		return err
	}
	// Reading at once would wake this process for each turn, on the cores that the
	// waiters need.
	time.Sleep(time.Duration(len(q.procs)) * 150 * time.Microsecond)
	buf := make([]byte, turnSize*len(q.procs))
	if err := q.turns.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.ReadFull(q.turns, buf); err != nil {
		return fmt.Errorf("a waiter did not report: %w", err)
	}
	if keep {
		q.judge(let, buf)
	}
	return nil
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

// blocked returns when the process waits for a flock(2), as the kernel's table shows.
func blocked(pid int) error {
	want := []byte(" " + strconv.Itoa(pid) + " ")
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		data, err := os.ReadFile("/proc/locks")
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			if bytes.Contains(line, []byte("-> FLOCK")) && bytes.Contains(line, want) {
				return nil
			}
		}
		time.Sleep(20 * time.Microsecond)
	}
	return fmt.Errorf("process %d does not wait", pid)
}
