package doctor

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// probePrefix begins the name of a file that is there to try something on. A name
// begins with a letter or a digit and has no tilde.
const probePrefix = ".doctor~"

// forgotten is how old a probe file has to be to be one that was left behind: by a
// doctor that was killed while the filesystem hung.
const forgotten = time.Hour

const probeFlags = unix.O_RDWR | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// probeFile is such a file, open.
type probeFile struct {
	dir      int
	name     string
	fd       int
	dev, ino uint64
}

// created are the probe files of this process that are still there.
type created struct {
	sync.Mutex
	over  bool
	files []*probeFile
}

var ours created

// newProbeFile makes a file in the directory dir.
func newProbeFile(dir int) (*probeFile, error) {
	ours.Lock() // so that it is known as soon as it exists
	defer ours.Unlock()
	if ours.over {
		return nil, os.ErrClosed
	}
	for {
		f := &probeFile{dir: dir, name: fmt.Sprintf("%s%016x", probePrefix, rand.Uint64())}
		var err error
		f.fd, err = unix.Openat(dir, f.name, probeFlags|unix.O_CREAT|unix.O_EXCL, 0o600)
		if err == unix.EINTR || err == unix.EEXIST {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("open", err)
		}
		ours.files = append(ours.files, f)
		var st unix.Stat_t
		if err := unix.Fstat(f.fd, &st); err != nil {
			f.remove()
			return nil, os.NewSyscallError("fstat", err)
		}
		f.dev, f.ino = st.Dev, st.Ino
		return f, nil
	}
}

// again opens the file once more, by its path.
func (f *probeFile) again() (int, error) { return openProbe(f.dir, f.name, f.dev, f.ino) }

func openProbe(dir int, name string, dev, ino uint64) (int, error) {
	fd, err := unix.Openat(dir, name, probeFlags, 0)
	if err != nil {
		return -1, os.NewSyscallError("open", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Dev != dev || st.Ino != ino {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("another file is in the place of the probe file %s (%w)", name, unix.ESTALE)
	}
	return fd, nil
}

// close removes the file and closes it.
func (f *probeFile) close() {
	ours.Lock()
	defer ours.Unlock()
	f.remove()
	for i, g := range ours.files {
		if g == f {
			ours.files = append(ours.files[:i], ours.files[i+1:]...)
			break
		}
	}
}

func (f *probeFile) remove() {
	_ = unix.Unlinkat(f.dir, f.name, 0)
	_ = unix.Close(f.fd)
}

// removeForEver removes what is there, and lets nothing be made any more.
func (c *created) removeForEver() {
	c.Lock() // for good
	c.over = true
	for _, f := range c.files {
		f.remove()
	}
}

// sweep removes the files that killed doctors of this user left behind long ago.
func sweep(dir int) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	d := os.NewFile(uintptr(fd), "directory")
	defer d.Close()
	for {
		names, err := d.Readdirnames(1000)
		for _, name := range names {
			if strings.HasPrefix(name, probePrefix) {
				sweepOne(dir, name)
			}
		}
		if err != nil {
			return
		}
	}
}

func sweepOne(dir int, name string) {
	var st unix.Stat_t
	if unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return
	}
	old := time.Since(time.Unix(st.Mtim.Unix())) > forgotten
	if old && st.Mode&unix.S_IFMT == unix.S_IFREG && int(st.Uid) == os.Geteuid() {
		_ = unix.Unlinkat(dir, name, 0)
	}
}
