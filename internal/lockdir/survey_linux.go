package lockdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Step is one directory or symbolic link on the way to a lock.
type Step struct {
	Path string
	Mode uint32 // st_mode
	UID  uint32
}

// Survey walks to the directory at path as [Open] does for [Use], but makes nothing.
// It returns the steps that it saw, and the first one that is missing, "" if there is none.
// The error is an *UnsafeError, or wraps that of the system.
func Survey(path string) (steps []Step, missing string, err error) {
	if !filepath.IsAbs(path) {
		wd, err := os.Getwd()
		if err != nil {
			return nil, "", err
		}
		path = strings.TrimSuffix(wd, "/") + "/" + path
	}
	_, _, err = walk(path, judge, func(path string, st *unix.Stat_t) {
		steps = append(steps, Step{Path: path, Mode: st.Mode, UID: st.Uid})
	})
	var lost *os.PathError
	if errors.Is(err, unix.ENOENT) && errors.As(err, &lost) {
		return steps, lost.Path, nil
	}
	return steps, "", err
}
