package doctor

import (
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"
)

func ok(format string, args ...any) Result {
	return Result{Status: OK, Found: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) Result {
	return Result{Status: Warning, Found: fmt.Sprintf(format, args...), Do: do}
}

func fail(cause Cause, do, format string, args ...any) Result {
	return Result{Status: Failure, Cause: cause, Found: fmt.Sprintf(format, args...), Do: do}
}

func skip(format string, args ...any) Result {
	return Result{Status: Skipped, Found: fmt.Sprintf(format, args...)}
}

// with adds a fact.
func (r Result) with(key, value string) Result {
	if r.Facts == nil {
		r.Facts = make(map[string]string)
	}
	r.Facts[key] = value
	return r
}

// shown is a path as it can be printed within a line.
func shown(path string) string {
	for _, r := range path {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return strconv.Quote(path)
		}
	}
	return path
}

// cutPath keeps a long path from filling a message.
func cutPath(path string) string {
	const most = 200
	s := shown(path)
	if len(s) > most {
		return fmt.Sprintf("%s… (%d bytes)", s[:most], len(path))
	}
	return s
}
