package pidfile

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/proc"
)

func itoa(n int) string { return strconv.Itoa(n) }

// judge returns nil if the pid file that was seen is stale. Whatever is in doubt is not.
func (g *guard) judge(s *seen, mine Lock) error {
	if s.problem != "" {
		return &BadError{g.at.file, s.problem}
	}
	id, err := g.identity()
	if err != nil {
		return err
	}
	if id == nil || !id.describes(s.stamp) {
		return g.judgeForeign(s)
	}
	return g.judgeKnown(s, id, mine)
}

// judgeForeign judges a file that another program wrote, by the pid alone.
func (g *guard) judgeForeign(s *seen) error {
	switch {
	case s.pid == os.Getpid():
		return nil // this process has not written it: its pid in an earlier life of the container
	case proc.Exists(s.pid):
		alive, _ := proc.Of(s.pid)
		alive.PID = s.pid
		return &BusyError{Path: g.at.file, PID: s.pid, Alive: alive, Foreign: true}
	case !s.whole:
		return &BadError{g.at.file, "has no newline behind the pid, so a digit may be missing"}
	}
	return nil
}

func (g *guard) judgeKnown(s *seen, id *identity, mine Lock) error {
	here, err := proc.Here()
	if err != nil {
		return err
	}
	doubt := func(why string) error { return &BusyError{Path: g.at.file, PID: s.pid, Doubt: why} }
	sameBoot := id.place.Boot == here.Boot
	if sameBoot && mine.set() && id.lock.Dev == mine.Dev && id.lock.Ino == mine.Ino {
		return nil // it was written under the lock that is held now
	}
	if !sameBoot {
		if oneHost(g.fd) {
			return nil // nothing outlives a restart
		}
		return doubt("it was written before this host's restart, or by another host that still runs")
	}
	if id.place.PIDs != here.PIDs {
		switch held, known := id.lock.held(); {
		case !known:
			return doubt("its process is in another pid namespace, where it cannot be seen")
		case held:
			return doubt("its process is in another pid namespace, and lives")
		}
		return nil
	}
	for _, one := range []proc.ID{id.command, id.holder} {
		alive, err := one.Alive()
		if alive {
			return &BusyError{Path: g.at.file, PID: s.pid, Alive: one}
		}
		if err != nil {
			return doubt(err.Error())
		}
	}
	if id.command.PID == 0 {
		// The holder may have been killed before it wrote down what it started.
		if held, known := id.lock.held(); known && held {
			return doubt("what that process started may live")
		}
	}
	return nil
}

// held reports whether somebody has the lock now, and whether that is known.
func (l *Lock) held() (held, known bool) {
	if !l.set() || l.Mark < 0 || !filepath.IsAbs(l.Path) {
		return false, false
	}
	fd, err := retry(func() (int, error) { return unix.Open(l.Path, unix.O_RDONLY|openFlags, 0) })
	if err != nil {
		return false, false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Dev != l.Dev || st.Ino != l.Ino {
		return false, false
	}
	held, err = flock.Marked(fd, l.Mark)
	return held, err == nil
}

// oneHost reports whether the file is on a filesystem that a single host has. Those
// that are not known may be shared.
func oneHost(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC,
		unix.RAMFS_MAGIC, unix.F2FS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.REISERFS_SUPER_MAGIC,
		0x2fc12fc1 /* zfs */, 0xca451a4e /* bcachefs */, 0x3153464a /* jfs */ :
		return true
	}
	return false
}
