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
	files   []string
	shared  bool
	slots   int
	pending bool
	replace *Replacement
	slot    int
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

// File makes the lock also hold the file or directory at path by flock(2), so that
// users of flock(1) take part: they exclude this lock and are excluded by it. A missing
// file is made, as flock(1) makes it; it is never written to and never removed.
// Symbolic links are followed, except to make a file. The name is taken first, then the file.
// It may be given several times; the files are taken in that order.
//
// With [Shared] or [Slots] the file is locked shared, as by flock -s.
func File(path string) Option { return func(o *options) { o.files = append(o.files, path) } }

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

// AtSlot makes [Signal] and [Stop] act on the holder of slot n only.
func AtSlot(n int) Option { return func(o *options) { o.slot = n } }

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
	case o.pending && !waits:
		return bad("Queue needs Acquire: TryAcquire does not wait")
	}
	return nil
}
