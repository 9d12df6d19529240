package sole

// Option changes what a function of this package does. The zero value of what an
// option sets stands for leaving it out.
type Option func(*options)

type options struct {
	dir     string
	command []string
	cwd     string
	files   []string
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
func File(path string) Option { return func(o *options) { o.files = append(o.files, path) } }
