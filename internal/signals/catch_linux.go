//go:build linux && (amd64 || arm64)

package signals

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction on amd64 and arm64.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	saNoCldStop = 0x1
	saSigInfo   = 0x4
	saRestorer  = 0x04000000
	saOnStack   = 0x08000000
	saRestart   = 0x10000000

	sigIgn = 1

	infoSize = 128 // sizeof(siginfo_t), which Linux keeps fixed
)

// pipeWriter is where the handler writes. 0 stands for nowhere.
var pipeWriter uintptr

// Entry points of handlers_linux_*.s, as addresses that the kernel can jump to.
func relayPC() uintptr
func ignorePC() uintptr
func restorerPC() uintptr

// Catcher receives signals until it is closed.
type Catcher struct {
	read, write int
	before      []disposition
}

type disposition struct {
	sig syscall.Signal
	act sigaction
}

// Catch installs the handler for sigs, except for those that the process was
// started with ignored: they stay ignored, and the processes that it starts inherit that.
// There can be one Catcher at a time.
func Catch(sigs ...syscall.Signal) (*Catcher, error) {
	if pipeWriter != 0 && earlyPipe[1] == 0 {
		return nil, errors.New("signals: caught twice")
	}
	p, err := newPipe()
	if err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	c := &Catcher{read: p[0], write: p[1], before: make([]disposition, 0, len(sigs))}
	pipeWriter = uintptr(p[1])
	act := relayAction()
	for _, sig := range sigs {
		var old sigaction
		if err := rtSigaction(sig, &act, &old); err != nil {
			c.Close()
			return nil, err
		}
		if old.handler == sigIgn && sig != unix.SIGCHLD {
			_ = rtSigaction(sig, &old, nil)
			continue
		}
		c.before = append(c.before, disposition{sig, old})
	}
	return c, nil
}

func relayAction() sigaction {
	return sigaction{
		handler:  relayPC(),
		flags:    saSigInfo | saOnStack | saRestart | saRestorer | saNoCldStop,
		restorer: restorerPC(),
		mask:     ^uint64(0),
	}
}

// FD is readable while a signal is there to be taken.
func (c *Catcher) FD() int { return c.read }

// Next takes the oldest signal, if there is one.
func (c *Catcher) Next() (Signal, bool) {
	var info [infoSize]byte
	for {
		n, err := unix.Read(c.read, info[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != infoSize {
			return Signal{}, false
		}
		return decode(info[:]), true
	}
}

// StopBy stops this process as sig does by default, and returns when it goes on. The
// shell learns the signal. In an orphaned process group nothing happens (setpgid(2)).
func (c *Catcher) StopBy(sig syscall.Signal) {
	var caught sigaction
	if rtSigaction(sig, &sigaction{}, &caught) != nil {
		return
	}
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
	_ = rtSigaction(sig, &caught, nil)
}

// Close puts the earlier dispositions back.
func (c *Catcher) Close() {
	for _, d := range c.before {
		_ = rtSigaction(d.sig, &d.act, nil)
	}
	pipeWriter = 0
	_ = unix.Close(c.read)
	_ = unix.Close(c.write)
}

// decode reads the leading fields of a siginfo_t as 64-bit Linux lays them out.
func decode(info []byte) Signal {
	s := Signal{Number: syscall.Signal(binary.NativeEndian.Uint32(info))}
	// sigaction(2): a code above zero is the kernel's.
	if code := int32(binary.NativeEndian.Uint32(info[8:])); code > 0 {
		s.FromKernel = true
		return s
	}
	s.Sender = int(int32(binary.NativeEndian.Uint32(info[16:])))
	return s
}

func rtSigaction(sig syscall.Signal, act, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("rt_sigaction", errno)
	}
	return nil
}

// Default gives sig its default action, also where the Go runtime handles it.
func Default(sig syscall.Signal) error {
	return rtSigaction(sig, &sigaction{}, nil)
}

// Unblock lets sig through to the calling thread.
func Unblock(sig syscall.Signal) error {
	var set unix.Sigset_t
	set.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	return os.NewSyscallError("rt_sigprocmask", unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil))
}

// Ignore ignores the signals of the mask. Those that wait because they are blocked are
// forgotten.
func Ignore(mask uint64) error {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if mask&(1<<(sig-1)) == 0 {
			continue
		}
		if err := rtSigaction(sig, &sigaction{handler: sigIgn}, nil); err != nil {
			return err
		}
	}
	return nil
}

// SetMask sets the signal mask of the calling thread.
func SetMask(mask uint64) error {
	set := unix.Sigset_t{Val: [16]uint64{mask}}
	return os.NewSyscallError("rt_sigprocmask", unix.PthreadSigmask(unix.SIG_SETMASK, &set, nil))
}
