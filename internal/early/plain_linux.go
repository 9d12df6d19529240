//go:build linux && (amd64 || arm64)

package early

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/record"
)

// verdict is what became of a step.
type verdict uint8

const (
	ordinary verdict = iota // leave it to the ordinary code
	fine                    // go on
	busy                    // somebody has the name
)

// now is the state of this start. It is one variable, so that it lies in few pages, and
// not on the stack because the compiler does not know when the kernel writes there.
var now struct {
	held    bool // the lock, for the ordinary code
	running bool // the command, for the ordinary code
	stopped bool // this process stopped itself with the command

	dirLen int
	fd     int
	pid    int // of the command
	pastFD int // the history
	size   int64

	ask     request
	spawn   spawning
	lk      syscall.Flock_t
	st      syscall.Stat_t
	seen    syscall.Stat_t // the lock file
	fs      syscall.Statfs_t
	ts      syscall.Timespec
	poll    pollFD
	wait    [2]pollFD // signals, and changes of the lock file
	set     uint64
	act     [4]uint64
	info    [128]byte
	ignored uint64 // of those that a supervisor takes
	started uint64 // all that were ignored when the program started
	passed  uint64 // signals that were taken for the command

	remembered bool // the end of the run is in the history
	pastErr    syscall.Errno
	recordEnd  int // of the record in copy, 0 for none
	uts        unix.Utsname
	user       [64]byte

	path    [1280]byte // of the lock file
	past    [1280]byte // of the history
	program [1280]byte
	cwd     [1024]byte
	vars    [1024]byte // what is new in the environment
	line    [1024]byte // what is said
	args    [maxWords]string
	words   [maxWords]string // of the run before
	env     [maxVars + 4]*byte
	hash    [maxVars]uint32

	rec  record.Record
	head record.Header
	page [record.End]byte
	copy [record.End]byte
	file [8192]byte // passwd, zoneinfo
}

type pollFD struct {
	fd              int32
	events, revents int16
}

// plain is called by the entry point, with the address of argc. If it returns, the
// Go runtime starts.
//
//lint:ignore U1000 the assembly calls it
func plain(stack unsafe.Pointer) {
	do(stack)
	if !now.running {
		noteIgnored()
	}
}

func do(stack unsafe.Pointer) {
	r := &now.ask
	if !r.read(stack) || !filesMayGrow() || !r.findDir() || !trustDir(r.euid) {
		return
	}
	switch r.take() {
	case fine:
		r.run()
	case busy:
		r.skip()
	}
}
