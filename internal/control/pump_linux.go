package control

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pump sends standard input as far as the server wants it.
type pump struct {
	c      *conn
	src    io.Reader
	credit chan int      // what more may be sent
	quit   chan struct{} // closed when no more is wanted
	wake   int           // an eventfd that quit is told by, -1 if there is none
	ended  chan struct{}
}

// startPump returns nil, which does nothing, if there is nothing to send.
func startPump(c *conn, src io.Reader) *pump {
	if src == nil {
		return nil
	}
	p := &pump{c: c, src: src, credit: make(chan int, 1), quit: make(chan struct{}), wake: -1, ended: make(chan struct{})}
	if _, isFile := src.(*os.File); isFile {
		if fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
			p.wake = fd
		}
	}
	p.allow(Window)
	go p.run()
	return p
}

// allow adds to what may be sent.
func (p *pump) allow(n int) {
	if p == nil {
		return
	}
	select {
	case had := <-p.credit:
		n += had
	default:
	}
	p.credit <- n // only this goroutine adds, so there is room
}

// stop ends the pump. One that reads from what is no file is left to end with its Read.
func (p *pump) stop() {
	if p == nil {
		return
	}
	close(p.quit)
	if p.wake >= 0 {
		_, _ = unix.Write(p.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-p.ended
		_ = unix.Close(p.wake)
	}
}

func (p *pump) run() {
	defer close(p.ended)
	buf := make([]byte, maxWrite)
	may := 0
	for {
		select {
		case <-p.quit:
			return
		case n := <-p.credit:
			may += n
		}
		for may > 0 {
			if !p.ready() {
				return
			}
			n, err := p.src.Read(buf[:min(may, len(buf))])
			may -= n
			if n > 0 && !p.send(Frame{Kind: inFrame, Data: buf[:n]}) {
				return
			}
			if err != nil { // an input that cannot be read ends here too
				p.send(Frame{Kind: eofFrame})
				return
			}
		}
	}
}

func (p *pump) send(f Frame) bool {
	_, err := p.c.Write(f.append(nil))
	return err == nil
}

// ready waits until there is something to read, where that can be waited for, and reports
// whether it is still wanted.
func (p *pump) ready() bool {
	if f, ok := p.src.(*os.File); ok && p.wake >= 0 {
		raw, err := f.SyscallConn()
		if err != nil {
			return true // closed: Read says so
		}
		_ = raw.Control(func(fd uintptr) { pollEither(int(fd), p.wake) })
	}
	select {
	case <-p.quit:
		return false
	default:
		return true
	}
}

func pollEither(fd, wake int) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return
		}
	}
}
