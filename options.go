package sole

import (
	"fmt"
	"time"
)

// Option changes what a function of this package does. The zero value of what an
// option sets stands for leaving it out.
type Option func(*options)

type options struct {
	dir     string
	command []string
	cwd     string
	files   []foreignFile
	shared  bool
	slots   int
	pending bool
	replace *Replacement
	slot    int
	only    *Status
	method  string
	pidFile string
	lent    *lent
	history bool
	forget  bool

	historyLimit int64
}

func collect(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Dir makes names live in the directory at path, which is made with mode 0700 if it
// is missing. Without it, or with "", names live in the directory that the environment
// variable SOLE_DIR names, and without that in the user's own: /var/lib/sole for
// root, .local/state/sole below the home directory of the user database for others.
//
// Each directory on the way must belong to root or the user, and must not be writable by
// others without the sticky bit; else the error is an [*UnsafeError].
func Dir(path string) Option { return func(o *options) { o.dir = path } }

// Command says what the holder runs, for others to see. It defaults to os.Args.
// About 1,500 bytes of it are kept.
func Command(words ...string) Option { return func(o *options) { o.command = words } }

// Cwd says in which directory the holder works, for others to see. Without it they
// ask the kernel, which tells only those who may look into the process, and only while it
// lives.
func Cwd(path string) Option { return func(o *options) { o.cwd = path } }

// foreignFile is a file that is held beside a name.
type foreignFile struct {
	path    string
	program bool // see ProgramFile
}

// File makes the lock also hold the file or directory at path, so that programs take
// part that lock it: they exclude this lock and are excluded by it. It is held by flock(2), as
// flock(1) does, and then by fcntl(2) on the whole file, as lockf(3) does. A missing file is made; it is
// never written to and never removed. Symbolic links are followed, except to make a file. The name is
// taken first, then the file. It may be given several times; the files are taken in that order.
//
// Where the file cannot be opened for writing, or is executable or a directory, the fcntl(2) lock is
// a shared one. It excludes exclusive ones all the same. With [Shared] or [Slots] both are shared.
func File(path string) Option {
	return func(o *options) { o.files = append(o.files, foreignFile{path: path}) }
}

// ProgramFile is [File] for the file of a program or script, such as the one that is
// running. It is not made if it is missing, and never opened for writing, so that it can be executed
// while it is held.
func ProgramFile(path string) Option {
	return func(o *options) { o.files = append(o.files, foreignFile{path, true}) }
}

// Shared takes the name together with others that share it, and excludes those that
// do not. A start that shares does not overtake an exclusive one that waits, so that a stream of
// the former does not starve the latter. At most 4,096 can share a name at a time.
func Shared() Option { return func(o *options) { o.shared = true } }

// MaxSlots is the largest number of slots.
const MaxSlots = 1000

// Slots takes one of n slots of the name: the lowest that is free ([Lock.Slot]). Holders
// of slots and exclusive holders exclude each other. Each start goes by its own n: one
// with n = 2 takes slot 1 or 2, whoever may hold higher ones. Holders that share the name
// ([Shared]) do not count. 0 stands for leaving it out.
func Slots(n int) Option { return func(o *options) { o.slots = n } }

// Queue makes [Acquire] wait only if no other start waits for the name; else the error
// is a [*BusyError] with Queued set. So of many starts during a run one is left, which begins
// when the run ends. Any that waits counts, not only those with Queue.
func Queue() Option { return func(o *options) { o.pending = true } }

// Replacement is how [Replace] ends a holder.
type Replacement struct {
	// Grace is the time between SIGTERM and SIGKILL.
	Grace time.Duration
	// OlderThan spares a holder that has run for less; the error is then a [*BusyError].
	OlderThan time.Duration
	// Tree also ends the descendants of what holds the name.
	Tree bool
}

// Replace makes [Acquire] end the holder, as [Stop] does, and be the next: it goes
// before all that wait, and after earlier replacements that still wait. A replacement that has got the
// name in the meantime is ended too: the newest wins. All holders of a name that is shared are
// ended, at the same time.
//
// When the context ends before the holder has, the holder may have got SIGTERM already; Acquire
// then returns after some milliseconds. The
// errors are also those of [Stop].
func Replace(r Replacement) Option { return func(o *options) { o.replace = &r } }

// The methods. With each of them flock(2) on the lock file holds the name, so that starts
// with different methods exclude each other. The others also hold it in a form that programs can
// see which know nothing of lock files. docs/methods.md compares them.
const (
	MethodFlock    = "flock"
	MethodPidFile  = "pidfile"
	MethodSocket   = "socket"
	MethodAbstract = "abstract"
)

// Method says what else holds the name, besides the lock file: [MethodPidFile] the pid
// file NAME.pid in the names' directory, [MethodSocket] a Unix socket NAME.sock there that answers
// status, stop, reload and signal (docs/control.md), [MethodAbstract] the same at an abstract address.
// [MethodFlock], the default, is the lock file alone.
//
// A pid file or a socket that a living holder has makes the start busy; one that was left
// behind is replaced. A stranger on the abstract address is no holder: see [Lock.Squatted].
func Method(name string) Option { return func(o *options) { o.method = name } }

// PidFile also writes a pid file at path, with the pid of this process, and from
// [Lock.SetChild] on with that of the command. It excludes and is excluded as that of
// [MethodPidFile]. The directory must exist, and nobody but root and the user may be able to
// change it. Release removes the file, if it is still the one that was written.
func PidFile(path string) Option { return func(o *options) { o.pidFile = path } }

// AtSlot makes [Signal] and [Stop] act on the holder of slot n only.
func AtSlot(n int) Option { return func(o *options) { o.slot = n } }

// OnlyRun makes [Signal] and [Stop] act on the run that seen describes only: one that has got the
// name since then is left alone, and the name counts as free. Of a name that several hold, seen is one of
// its [Status.Holders].
func OnlyRun(seen Status) Option { return func(o *options) { o.only = &seen } }

// lent is a descriptor to take the lock on, and the process that has it too.
type lent struct{ fd, pid int }

// Descriptor makes the lock be taken on fd, and for the process pid, which has the same
// open file as fd: the shell that started this program and left it the descriptor. So the lock
// outlives this process. It ends when all that have the descriptor have closed it, or by [Lock.Release];
// [Resume] returns it later. fd must be open for reading and writing on the name's lock file, see
// [Prepare], and stays open; else the error is a [*DescriptorError]. If fd holds the name already, that
// lock is returned.
//
// If the lock file is deleted meanwhile it cannot be put back, since that would need another
// descriptor. Descriptor does not go together with Replace, Slots and File.
func Descriptor(fd, pid int) Option { return func(o *options) { o.lent = &lent{fd, pid} } }

// OptionError says which options do not go together, or that one has no sense.
type OptionError struct{ Problem string }

func (e *OptionError) Error() string { return e.Problem }

// check refuses options that contradict each other.
func (o *options) check(waits bool) error {
	bad := func(format string, args ...any) error {
		return &OptionError{fmt.Sprintf(format, args...)}
	}
	switch {
	case o.slots < 0 || o.slots > MaxSlots:
		return bad("%d slots: there can be 1 to %d", o.slots, MaxSlots)
	case o.shared && o.slots > 0:
		return bad("Shared and Slots contradict each other: Shared admits any number of holders, Slots a limited one")
	case o.replace != nil && o.shared:
		return bad("Replace and Shared contradict each other: one who shares the name is not in the way of another")
	case o.replace != nil && o.slots > 0:
		return bad("Replace and Slots contradict each other: it is not said which of the holders to end")
	case o.replace != nil && o.pending:
		return bad("Replace and Queue contradict each other: Queue waits for the holder, Replace ends it")
	case o.replace != nil && !waits:
		return bad("Replace needs Acquire: TryAcquire does not wait for the end of the holder")
	case o.lent != nil && (o.replace != nil || o.slots > 0 || len(o.files) > 0):
		return bad("Descriptor does not go together with Replace, Slots and File")
	case o.lent != nil && (o.methodOrDefault() != MethodFlock || o.pidFile != ""):
		return bad("Descriptor does not go together with PidFile and other methods than flock: nobody is left to see to it")
	case o.pending && !waits:
		return bad("Queue needs Acquire: TryAcquire does not wait")
	}
	return o.checkMethod(bad)
}

// checkMethod refuses what cannot be held by several.
func (o *options) checkMethod(bad func(string, ...any) error) error {
	const one = "names one process, and several may hold the name"
	many := ""
	switch {
	case o.shared:
		many = "Shared"
	case o.slots > 0:
		many = "Slots"
	}
	switch o.method {
	case "", MethodFlock:
		if many != "" && o.pidFile != "" {
			return bad("PidFile and %s contradict each other: a pid file %s", many, one)
		}
	case MethodPidFile, MethodSocket, MethodAbstract:
		if many != "" {
			return bad("Method %s and %s contradict each other: it %s", o.method, many, one)
		}
	default:
		return bad("%q is not a method: it is flock, pidfile, socket or abstract", shorten(o.method))
	}
	return nil
}

func shorten(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return s
}

func (o *options) methodOrDefault() string {
	if o.method == "" {
		return MethodFlock
	}
	return o.method
}
