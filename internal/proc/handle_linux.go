package proc

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Handle is a process that was found to be the one asked for. As long as it is
// open, it means that process and no other.
type Handle struct {
	id ID
	fd int // pidfd, -1 where there are none
}

// Open finds the process that id means. The error is ErrGone if that process has
// ended, even when it has not been waited for yet.
func (id ID) Open() (*Handle, error) {
	if id.PID <= 0 {
		return nil, ErrGone
	}
	fd, err := unix.PidfdOpen(id.PID, 0)
	switch err {
	case nil:
	case unix.ESRCH, unix.EINVAL, unix.ENOENT: // not a pid, or a thread's (ENOENT since Linux 6.15)
		return nil, ErrGone
	case unix.ENOSYS, unix.EPERM:
		fd = -1
	default:
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	h := &Handle{id: id, fd: fd}
	if err := h.verify(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Alive reports whether the process that id means has not ended. A process that
// must not be signalled is alive too. An error means that it cannot be known.
func (id ID) Alive() (bool, error) {
	h, err := id.Open()
	switch err {
	case nil:
		h.Close()
		return true, nil
	case ErrGone:
		return false, nil
	}
	return false, err
}

// Exists reports whether some process has pid now and has not ended. One that must not
// be signalled, or looked at, exists too.
func Exists(pid int) bool {
	if pid <= 0 || unix.Kill(pid, 0) == unix.ESRCH {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
		defer unix.Close(fd)
		ended, err := readable(fd)
		return err != nil || !ended
	case unix.ESRCH, unix.EINVAL, unix.ENOENT:
		return false
	}
	st, err := ReadStat(pid)
	return err != nil || st.State != 'Z' && st.State != 'X'
}

// Alive is [ID.Alive] for the process at hand.
func (h *Handle) Alive() (bool, error) {
	switch err := h.verify(); err {
	case nil:
		return true, nil
	case ErrGone:
		return false, nil
	default:
		return false, err
	}
}

// FD is the pidfd, readable once the process has ended; -1 where there is none.
func (h *Handle) FD() int { return h.fd }

// PID is the process's pid.
func (h *Handle) PID() int { return h.id.PID }

// Close forgets the process.
func (h *Handle) Close() {
	if h.fd >= 0 {
		_ = unix.Close(h.fd)
	}
	h.fd = -1
}

// Signal sends sig to the process. The error is ErrGone if it has ended, and
// wraps os.ErrPermission if it may not be signalled.
//
// Where the system has no pidfds (before Linux 5.3) the process is verified and
// then signalled by pid: a pid that is recycled between the two is hit.
func (h *Handle) Signal(sig syscall.Signal) error {
	var err error
	name := "pidfd_send_signal"
	if h.fd >= 0 {
		err = unix.PidfdSendSignal(h.fd, sig, nil, 0)
	} else {
		if err := h.verify(); err != nil {
			return err
		}
		name, err = "kill", unix.Kill(h.id.PID, sig)
	}
	if err == unix.ESRCH {
		return ErrGone
	}
	return os.NewSyscallError(name, err)
}

// verify compares the process at hand with the ID.
func (h *Handle) verify() error {
	if h.fd >= 0 {
		ended, err := readable(h.fd)
		if err != nil {
			return err
		}
		if ended {
			return ErrGone
		}
	}
	if h.id.Inode != 0 && h.fd >= 0 && hasPidfs(h.fd) {
		now, err := OfPidfd(h.fd, h.id.PID)
		if err != nil {
			return err
		}
		if now.Inode != h.id.Inode {
			return ErrGone
		}
		return nil
	}
	st, err := ReadStat(h.id.PID)
	if err != nil {
		return err
	}
	switch {
	case st.State == 'Z' || st.State == 'X':
		return ErrGone
	case h.id.Inode != 0:
		return ErrUnverified // a container's filter refuses pidfds to this process alone
	case st.Start != h.id.Start:
		return ErrGone
	}
	return nil
}

// readable reports whether fd can be read from now.
func readable(fd int) (bool, error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, 0)
		if err == unix.EINTR {
			continue
		}
		return n > 0, os.NewSyscallError("poll", err)
	}
}
