// Package lockdir knows where names live and whether that place can be trusted.
//
// A directory is trusted when nobody but root and the caller can put, replace or
// remove things on the way to it: each directory from the root on belongs to one of
// the two and is not writable by others, unless it has the sticky bit, as /tmp has.
// Symbolic links on the way are followed when they belong to one of the two.
//
// A lock file is trusted when it is a regular file with a single link, belongs to
// root or the caller, and is not writable by others. It is never reached by a link.
//
// Locks are not taken here.
package lockdir

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Suffix is what a name's lock file has behind the name.
const Suffix = ".lock"

// seatsSuffix is what the file of those that share a name has. It is no lock file's.
const seatsSuffix = ".seats"

// HistorySuffix is what the history of a name has.
const HistorySuffix = ".history"

// Purpose is what a directory or file is opened for.
type Purpose int

const (
	// Look is for reading: root may look at everybody's files.
	Look Purpose = iota
	// Use is for holding names, and for whatever acts on what the files say.
	Use
	// judge is as Use, but makes nothing.
	judge
)

// UnsafeError says that something on the way to a lock cannot be trusted.
type UnsafeError struct {
	Path    string // what it is about
	Problem string // what is wrong with it
	Remedy  string // what to do, "" if that is not known
}

func (e *UnsafeError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Problem) }

// Dir is a directory that was found fit for its purpose.
type Dir struct {
	path    string
	purpose Purpose
	missing bool
	fd      int      // O_PATH, -1 if the directory is reached by its path each time
	entry   identity // of the directory itself, to notice that it was replaced
}

// identity says which file a path led to, and who could change it.
type identity struct {
	dev, ino uint64
	mode     uint32
	uid      uint32
}

// Path is the directory's absolute path without symbolic links.
func (d *Dir) Path() string { return d.path }

// Missing reports that the directory does not exist, which [Look] accepts: there
// are no names in it.
func (d *Dir) Missing() bool { return d.missing }

// File is the path of the name's lock file.
func (d *Dir) File(name string) string { return d.path + "/" + name + Suffix }

// Seats is the path of the file of those that share the name.
func (d *Dir) Seats(name string) string { return d.path + "/" + name + seatsSuffix }

// History is the path of the name's history.
func (d *Dir) History(name string) string { return d.path + "/" + name + HistorySuffix }

// PidFile is the path of the name's pid file.
func (d *Dir) PidFile(name string) string { return d.path + "/" + name + ".pid" }

// Socket is the path of the name's socket.
func (d *Dir) Socket(name string) string { return d.path + "/" + name + ".sock" }

// Name is the name whose lock file is called file, "" if it is no lock file's.
func Name(file string) string {
	n, ok := strings.CutSuffix(filepath.Base(file), Suffix)
	if !ok {
		return ""
	}
	return n
}
