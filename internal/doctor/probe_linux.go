package doctor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// finding is how a family of locks behaves.
type finding struct {
	refused  error // the first attempt was not even tried
	faults   []string
	collides bool // flock(2) and fcntl(2) locks exclude each other
}

func (f *finding) fault(format string, args ...any) {
	f.faults = append(f.faults, fmt.Sprintf(format, args...))
}

// probe is a file with two open descriptions here, and one in another process.
type probe struct {
	file  *probeFile
	again int
	other *second
}

func openProbes(dir int) (*probe, error) {
	f, err := newProbeFile(dir)
	if err != nil {
		return nil, err
	}
	p := &probe{file: f, again: -1}
	if p.again, err = f.again(); err == nil {
		p.other, err = startSecond(f)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// close gives all of it up. Of POSIX locks closing any descriptor frees those of the
// process, so it comes last.
func (p *probe) close() {
	if p.other != nil {
		p.other.end()
	}
	if p.again >= 0 {
		_ = unix.Close(p.again)
	}
	p.file.close()
}

// errNobody is returned where a lock is busy that nobody has.
var errNobody = errors.New("it is busy although nobody has it")

// examine tries the family. An error means that it could not be tried to the end.
func (p *probe) examine(f family) (found finding, err error) {
	got, err := f.try(p.file.fd)
	if err == nil && !got {
		err = errNobody
	}
	if err != nil {
		return finding{refused: err}, nil
	}
	if !f.perProcess {
		if got, err = f.probeOnce(p.again, false); err != nil {
			return found, err
		} else if got {
			found.fault("granted twice within a process")
		}
	}
	if got, err = p.other.try(f); err != nil {
		return found, err
	} else if got {
		found.fault("granted to two processes at once")
	}
	if f.seen != nil {
		if got, err = p.other.sees(f); err != nil {
			return found, err
		} else if !got {
			found.fault("held without another process seeing it")
		}
	}
	if err = f.free(p.file.fd); err != nil {
		return found, err
	}
	if got, err = p.other.try(f); err == nil && !got {
		found.fault("not free after it was given up")
	}
	return found, err
}

// examineShared tries whether flock(2) locks can be shared, and still exclude.
func (p *probe) examineShared(found *finding) error {
	shared, _ := familyNamed("shared")
	alone, _ := familyNamed("flock")
	got, err := shared.try(p.file.fd)
	if err != nil || !got {
		found.fault("not granted as a shared one")
		return err
	}
	defer func() { _ = shared.free(p.file.fd) }()
	if got, err = p.other.try(shared); err != nil {
		return err
	} else if !got {
		found.fault("shared with nobody")
	}
	if got, err = p.other.try(alone); err == nil && got {
		found.fault("exclusive beside a shared one")
	}
	return err
}

// examineBoth tries whether a flock(2) lock is in the way of an fcntl(2) one.
func (p *probe) examineBoth(found *finding) error {
	alone, _ := familyNamed("flock")
	ofd, _ := familyNamed("ofd")
	if got, err := alone.try(p.file.fd); err != nil || !got {
		return err
	}
	defer func() { _ = alone.free(p.file.fd) }()
	got, err := p.other.try(ofd)
	found.collides = err == nil && !got
	return nil // what OFD locks do by themselves is another check's
}
