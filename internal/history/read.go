package history

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/sole-run/sole/internal/lockdir"
)

// Files are the files of one name's history, the older one first.
type Files struct{ Older, Current string }

// OlderSuffix is what the older file has behind the name of the current one.
const OlderSuffix = ".1"

// FilesIn are the files of a name in dir.
func FilesIn(dir *lockdir.Dir, name string) Files {
	current := dir.History(name)
	return Files{Older: current + OlderSuffix, Current: current}
}

// chunk is how much is read at a time.
const chunk = 256 << 10

// longest is the longest line that is taken for one. Of others a part is, which is no record.
const longest = 64 << 10

// Found is what is to be known of a reading beside the records.
type Found struct {
	Before Totals // what was in files that are gone
	Torn   int    // lines that are no records
}

// Forward calls visit for all records, the oldest first. A line is valid until visit returns.
func (f Files) Forward(visit func(*Line)) (Found, error) {
	var found Found
	var once filter
	both, err := f.open()
	if err != nil {
		return found, err
	}
	defer both.close()
	for i, file := range []*os.File{both.older, both.current} {
		err := forward(file, func(raw []byte) {
			if l, ok := parse(raw); ok {
				if once.first(&l) {
					visit(&l)
				}
			} else if t, ok := totalsOf(raw); !ok {
				found.Torn++
			} else if i == 0 {
				found.Before = t
			}
		})
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// open opens a file for reading; nil if there is none.
func open(path string) (*os.File, error) {
	f, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// pair is the two files, nil where there is none.
type pair struct{ older, current *os.File }

// open opens both, so that no rotation falls in between: that would hide a file.
func (f Files) open() (p pair, err error) {
	for range 100 {
		if p.current, err = open(f.Current); err != nil {
			return p, err
		}
		if p.older, err = open(f.Older); err != nil || !p.same() {
			if err != nil {
				p.close()
			}
			return p, err
		}
		p.close()
	}
	return p, &fs.PathError{Op: "read", Path: f.Current, Err: errChanging}
}

var errChanging = errors.New("it is rotated faster than it can be opened")

// same reports whether the current file has become the older one meanwhile.
func (p pair) same() bool {
	if p.current == nil || p.older == nil {
		return false
	}
	a, err := p.current.Stat()
	b, err2 := p.older.Stat()
	return err == nil && err2 == nil && os.SameFile(a, b)
}

func (p pair) close() {
	for _, f := range []*os.File{p.older, p.current} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// forward calls visit for each line that is not empty.
func forward(f *os.File, visit func(raw []byte)) error {
	if f == nil {
		return nil
	}
	buf := make([]byte, 0, chunk+longest)
	long := false // the line that is being read is too long
	for {
		n, err := f.Read(buf[len(buf):min(len(buf)+chunk, cap(buf))])
		buf = buf[:len(buf)+n]
		rest := buf
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			if end > 0 && !long {
				visit(rest[:min(end, longest)])
			}
			rest, long = rest[end+1:], false
		}
		if err == io.EOF {
			if len(rest) > 0 && !long {
				visit(rest)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if len(rest) > longest {
			if !long {
				visit(rest[:longest])
			}
			rest, long = nil, true
		}
		buf = append(buf[:0], rest...)
	}
}

// Backward calls visit for the records, the newest first, until it returns false. Records that are
// another one's are not left out, see [Sort]. Lines stay valid.
func (f Files) Backward(visit func(*Line) bool) (Found, error) {
	var found Found
	both, err := f.open()
	if err != nil {
		return found, err
	}
	defer both.close()
	for i, file := range []*os.File{both.current, both.older} {
		more := true
		err := backward(file, func(raw []byte) bool {
			if l, ok := parse(raw); ok {
				more = visit(&l)
			} else if t, ok := totalsOf(raw); !ok {
				found.Torn++
			} else if i == 1 {
				found.Before = t
			}
			return more
		})
		if err != nil || !more {
			return found, err
		}
	}
	return found, nil
}

// backward calls visit for each line that is not empty, from the last one on.
func backward(f *os.File, visit func(raw []byte) bool) error {
	if f == nil {
		return nil
	}
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var tail []byte // the end of a line whose beginning has not been read
	for at > 0 {
		n := min(at, chunk)
		at -= n
		buf := make([]byte, n, int(n)+len(tail))
		// Readers may run into a file's end that was not there before: it only grows.
		if _, err := io.ReadFull(io.NewSectionReader(f, at, n), buf); err != nil {
			return err
		}
		buf = append(buf, tail...)
		for {
			begin := bytes.LastIndexByte(buf, '\n')
			if begin < 0 {
				break
			}
			line := buf[begin+1:]
			if line = line[max(0, len(line)-longest):]; len(line) > 0 && !visit(line) {
				return nil
			}
			buf = buf[:begin]
		}
		if tail = buf; len(tail) > longest {
			tail = tail[len(tail)-longest:]
		}
	}
	if len(tail) > 0 {
		visit(tail)
	}
	return nil
}

// Sort puts lines that [Files.Backward] gave into the order of the file, and leaves out those of
// runs that have another record.
func Sort(newestFirst []Line) []Line {
	var once filter
	slices.Reverse(newestFirst)
	return slices.DeleteFunc(newestFirst, func(l Line) bool { return !once.first(&l) })
}

// filter knows the runs that had a record lately.
type filter struct{ runs []known }

// known is a run. Numbers may begin anew, so its start tells it from another one, in milliseconds.
type known struct {
	run     uint64
	started int64
}

const remembered = 1 << 14 // more than can hold a name at a time

// first reports whether the record is the first one of its run, or the holder's own.
func (f *filter) first(l *Line) bool {
	if l.Run == 0 {
		return true
	}
	if f.runs == nil {
		f.runs = make([]known, remembered)
	}
	at, k := &f.runs[l.Run%remembered], known{l.Run, l.Started.UnixMilli()}
	if l.Closing && *at == k {
		return false
	}
	*at = k
	return true
}
