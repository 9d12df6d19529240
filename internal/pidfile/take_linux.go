package pidfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/lockdir"
	"github.com/sole-run/sole/internal/proc"
)

// File is a pid file that this process has. It is not safe for concurrent use.
type File struct {
	at  paths
	fd  int // of the file, so that no other one can get its inode number
	pid int // in it
	id  identity
}

// Path is where the pid file is, without symbolic links.
func (f *File) Path() string { return f.at.file }

// FD is an open descriptor of the pid file, to watch it.
func (f *File) FD() int { return f.fd }

// Take puts this process's pid into the file at path, if there is none, or a stale
// one. The error is a *BusyError if its process lives or may live, a *BadError if it is no pid
// file, a *lockdir.UnsafeError if the place or the file cannot be trusted, and else the system's. by
// is what the caller holds as long as it has the pid file.
func Take(path string, by Lock) (*File, error) {
	at, err := locate(path)
	if err != nil {
		return nil, err
	}
	f := &File{at: at, fd: -1, id: identity{uid: uint32(os.Geteuid()), lock: by}}
	if f.id.place, err = proc.Here(); err != nil {
		return nil, err
	}
	if f.id.holder, err = proc.Self(); err != nil {
		return nil, err
	}
	for range maxTurns {
		if err := f.take(); err != errAgain {
			if err != nil {
				return nil, err
			}
			return f, nil
		}
	}
	return nil, &os.PathError{Op: "link", Path: at.file, Err: unix.ESTALE}
}

// errAgain means that somebody who does not know the guard was in between.
var errAgain = errors.New("again")

func (f *File) take() error {
	g, err := f.at.enter()
	if err != nil {
		return err
	}
	defer g.leave()
	s, err := g.look()
	if err != nil {
		return err
	}
	if s != nil {
		if err := g.judge(s, f.id.lock); err != nil {
			return err
		}
		gone, err := g.takeAway(s)
		if err != nil {
			return err
		}
		if !gone {
			return errAgain
		}
	}
	return f.put(g, f.id.holder.PID, true, f.link)
}

// link puts the spare file to the path where there is none.
func (f *File) link(*guard) error {
	err := unix.Link(f.at.spare, f.at.file)
	if err == unix.EEXIST {
		return errAgain
	}
	return os.NewSyscallError("link", err)
}

// exchange puts the spare file to the path in place of our own, and of no other.
func (f *File) exchange(g *guard) error {
	err := unix.Renameat2(unix.AT_FDCWD, f.at.spare, unix.AT_FDCWD, f.at.file, unix.RENAME_EXCHANGE)
	switch err {
	case nil:
	case unix.ENOENT:
		return &LostError{f.at.file, "was deleted"}
	case unix.EINVAL, unix.ENOSYS: // a filesystem without it
		return os.NewSyscallError("rename", unix.Rename(f.at.spare, f.at.file))
	default:
		return os.NewSyscallError("renameat2", err)
	}
	var ours, before unix.Stat_t
	if unix.Fstat(f.fd, &ours) == nil && unix.Lstat(f.at.spare, &before) == nil && stampOf(&ours) == stampOf(&before) {
		return nil
	}
	// Somebody who does not know the guard was faster. If he was again, his first one is lost.
	_ = unix.Renameat2(unix.AT_FDCWD, f.at.spare, unix.AT_FDCWD, f.at.file, unix.RENAME_EXCHANGE)
	return &LostError{f.at.file, "was replaced by another file"}
}

// put puts a file with the pid to the path, by the last step. The identity is there
// before, so that nobody ever sees the file without it, and is about the old file too. durable
// says whether both are seen to the disk before or after.
func (f *File) put(g *guard, pid int, durable bool, last func(*guard) error) error {
	fd, fresh, err := g.prepare(pid, durable)
	if err != nil {
		return err
	}
	before := f.id.files
	f.id.files = []stamp{fresh}
	if n := len(before); n > 0 {
		f.id.files = []stamp{before[n-1], fresh}
	}
	err = g.write(&f.id, durable)
	if err == nil {
		err = last(g)
	}
	if err == nil {
		err = g.tidy() // the second link
	}
	if err != nil {
		_ = unix.Close(fd)
		f.id.files = before
		_ = g.tidy()
		return err
	}
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
	}
	f.fd, f.pid = fd, pid
	if !durable {
		return errors.Join(flush(g.fd, g.at.id), flush(fd, g.at.file))
	}
	return nil
}

// SetCommand puts the pid of what this process runs into the file, and its own if command
// is zero, as it is when that has ended. From then on the file is stale only when both have ended. Readers see one pid or the other, never none. The error is
// a *LostError if the file is not this process's any more; it is then left alone.
func (f *File) SetCommand(command proc.ID) error {
	g, err := f.at.enter()
	if err != nil {
		return err
	}
	defer g.leave()
	if _, err := f.ours(g); err != nil {
		return err
	}
	before, pid := f.id.command, command.PID
	f.id.command = command
	if pid == 0 {
		pid = f.id.holder.PID
	}
	// The disk comes later: until the command is written down only the lock tells of it.
	err = f.put(g, pid, false, f.exchange)
	if f.pid != pid {
		f.id.command = before
	}
	return err
}

// Check returns a *LostError if the file is not this process's any more.
func (f *File) Check() error {
	var st, now unix.Stat_t
	switch err := unix.Lstat(f.at.file, &now); {
	case err == unix.ENOENT:
		return &LostError{f.at.file, "was deleted"}
	case err != nil:
		return &os.PathError{Op: "lstat", Path: f.at.file, Err: err}
	}
	if unix.Fstat(f.fd, &st) != nil || st.Dev != now.Dev || st.Ino != now.Ino {
		return &LostError{f.at.file, "was replaced by another file"}
	}
	b, err := readAll(f.fd, f.at.file, maxContent)
	if err != nil {
		return err
	}
	if string(b) != itoa(f.pid)+"\n" {
		return &LostError{f.at.file, "was written to by somebody else"}
	}
	return nil
}

// ours is what is at the path, if it is this process's.
func (f *File) ours(g *guard) (*seen, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	s, err := g.look()
	var unsafe *lockdir.UnsafeError
	if s == nil && err == nil || errors.As(err, &unsafe) {
		return nil, &LostError{f.at.file, "was replaced by another file"}
	}
	return s, err
}

// Remove removes the file, if it is still this process's. Else it is left alone, and the
// error is a *LostError.
func (f *File) Remove() error {
	defer func() { _ = unix.Close(f.fd) }()
	g, err := f.at.enter()
	if err != nil {
		return err
	}
	defer g.leave()
	s, err := f.ours(g)
	if err == nil {
		var gone bool
		if gone, err = g.takeAway(s); err == nil && !gone {
			err = &LostError{f.at.file, "was replaced by another file"}
		}
	}
	// The identity may be the one of a later owner by now.
	if id, idErr := g.identity(); idErr == nil && id != nil && id.holder == f.id.holder && id.describes(f.id.files[len(f.id.files)-1]) {
		_ = unix.Unlink(f.at.id)
	}
	return err
}
