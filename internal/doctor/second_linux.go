package doctor

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The second process of a probe opens the file by itself, as another start would, and
// tries for locks as it is told.

// secondRequest names the file in the directory that is its descriptor dirFD.
type secondRequest struct {
	Name     string
	Dev, Ino uint64
}

// order is what it is to do next: to try for a lock, or only to look.
type order struct {
	Family string
	Look   bool
}

// answer is whether the lock was granted, or seen.
type answer struct {
	Yes bool
	Err string `json:",omitempty"`
}

// serve is the second process, until the first closes the socket.
func (q *secondRequest) serve(in *json.Decoder, out *json.Encoder) int {
	fd, err := openProbe(dirFD, q.Name, q.Dev, q.Ino)
	if out.Encode(answerOf(err == nil, err)) != nil || err != nil {
		return 1
	}
	defer unix.Close(fd)
	for {
		var o order
		if in.Decode(&o) != nil {
			return 0
		}
		f, known := familyNamed(o.Family)
		if !known {
			return 1
		}
		if out.Encode(answerOf(f.probeOnce(fd, o.Look))) != nil {
			return 1
		}
	}
}

func answerOf(yes bool, err error) answer {
	if err != nil {
		return answer{Err: refused(err)}
	}
	return answer{Yes: yes}
}

// probeOnce tries for the lock and gives it up again, or only looks.
func (f family) probeOnce(fd int, look bool) (bool, error) {
	if look {
		return f.seen(fd)
	}
	got, err := f.try(fd)
	if got {
		err = f.free(fd)
	}
	return got, err
}

// second is the other process, as the first one sees it.
type second struct{ h *helper }

// startSecond has another process open the file.
func startSecond(f *probeFile) (*second, error) {
	dup, err := unix.FcntlInt(uintptr(f.dir), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	dir := os.NewFile(uintptr(dup), "directory")
	defer dir.Close()
	h, err := startHelper(dir)
	if err != nil {
		return nil, err
	}
	s := &second{h}
	if _, err := s.ask(request{File: &secondRequest{f.name, f.dev, f.ino}}); err != nil {
		s.end()
		return nil, fmt.Errorf("in a second process: %w", err)
	}
	return s, nil
}

func (s *second) end() { s.h.end(goodbye) }

// try reports whether the other process is granted the lock.
func (s *second) try(f family) (bool, error) { return s.ask(order{Family: f.name}) }

// sees reports whether it sees that the lock is held.
func (s *second) sees(f family) (bool, error) { return s.ask(order{Family: f.name, Look: true}) }

func (s *second) ask(v any) (bool, error) {
	var a answer
	if err := s.h.ask(v, &a); err != nil {
		return false, err
	}
	if a.Err != "" {
		return false, fmt.Errorf("%s", a.Err)
	}
	return a.Yes, nil
}
