package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A helper is this program, started again to do what may hang, or what has to be done
// by another process. It is spoken to on a socket, its descriptor 3. It tidies up and ends
// when the other end of that is closed, so also when its parent is killed.
//
// A program becomes a helper only if the descriptor is a socket that was made by the
// process that the variable names. So nobody gets there by accident. It need not be the parent
// still: if that was killed meanwhile, the helper must not take itself for a doctor.
const (
	helperEnv = "SOLE_DOCTOR_HELPER"
	helperFD  = 3
	// dirFD is the directory that a helper of a helper works in.
	dirFD = 4
)

// request is what a helper is to do.
type request struct {
	Check string `json:",omitempty"`
	Path  []byte `json:",omitempty"` // JSON cannot keep every path
	By    string `json:",omitempty"`
	// File is set for the second process of a probe.
	File *secondRequest `json:",omitempty"`
}

// helper is a started helper process.
type helper struct {
	cmd   *exec.Cmd
	conn  *os.File
	in    *json.Decoder
	out   *json.Encoder
	ended chan struct{}
}

// starting keeps the descriptors that a start needs for a moment from adding up.
var starting sync.Mutex

// startHelper starts one, with files as its descriptors from dirFD on.
func startHelper(files ...*os.File) (*helper, error) {
	starting.Lock()
	defer starting.Unlock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	// Without O_NONBLOCK closing would not end a read.
	if err := unix.SetNonblock(pair[0], true); err != nil {
		_ = unix.Close(pair[0])
		return nil, os.NewSyscallError("fcntl", err)
	}
	conn := os.NewFile(uintptr(pair[0]), "socket")
	c := exec.Command("/proc/self/exe", "doctor")
	c.Env = append(os.Environ(), helperEnv+"="+itoa(os.Getpid()))
	c.Stderr = os.Stderr
	c.ExtraFiles = append([]*os.File{theirs}, files...)
	// A key at the terminal is for the parent: it has the helper tidy up.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	h := &helper{cmd: c, conn: conn, in: json.NewDecoder(conn), out: json.NewEncoder(conn), ended: make(chan struct{})}
	go func() { _ = c.Wait(); close(h.ended) }()
	return h, nil
}

// ask sends v and waits for the answer.
func (h *helper) ask(v, answer any) error {
	if err := h.out.Encode(v); err != nil {
		return err
	}
	return h.in.Decode(answer)
}

// end has the helper tidy up, and kills it if that takes longer than patience. It does
// not wait for one that cannot even be killed, as in a filesystem that hangs.
func (h *helper) end(patience time.Duration) {
	_ = h.conn.Close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-h.ended:
	case <-timer.C:
		_ = unix.Kill(-h.cmd.Process.Pid, unix.SIGKILL) // with what it started
	}
}

// IsHelper reports whether this process was started by [Examine].
func IsHelper() bool {
	by := os.Getenv(helperEnv)
	if by == "" {
		return false
	}
	peer, err := unix.GetsockoptUcred(helperFD, unix.SOL_SOCKET, unix.SO_PEERCRED)
	return err == nil && itoa(int(peer.Pid)) == by
}

// Help does what a helper is to do, and returns its exit code.
func Help() int {
	unix.CloseOnExec(helperFD)
	conn := os.NewFile(helperFD, "socket")
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	var q request
	if in.Decode(&q) != nil {
		return 1
	}
	if q.File != nil {
		return q.File.serve(in, out)
	}
	c, known := checkNamed(q.Check)
	if !known {
		return 1
	}
	go endWith(in)
	r := c.named(Place{Path: string(q.Path), By: q.By})
	if out.Encode(r) != nil {
		return 1
	}
	return 0
}

// endWith ends this helper, and removes its file, when its parent wants that or is gone.
func endWith(in *json.Decoder) {
	var nothing request
	_ = in.Decode(&nothing)
	ours.removeForEver()
	if unix.Getpgrp() == os.Getpid() {
		_ = unix.Kill(0, unix.SIGKILL) // with what it started, as crontab(1)
	}
	os.Exit(0)
}
