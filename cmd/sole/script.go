package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/sole-run/sole/internal/name"
)

var scriptCommand = &command{
	name:    "script",
	args:    "INTERPRETER [OPTION…] SCRIPT [ARG…]",
	summary: "run SCRIPT by INTERPRETER unless it runs already; for #! lines",
	about: `For the first line of a script, which then is one of a kind, by whatever path it
is started:

  #!/usr/bin/env -S sole script python3
  #!/usr/bin/env -S sole script --wait -E 0 bash -eu

It is 'sole run' with a name made from the script's real path, and holds the
script file itself too, so that hard links, other users' starts and 'flock -n'
exclude it. Words behind INTERPRETER that begin with - are its options, and the
next one is SCRIPT. If an option's value is a word of its own, put -- around:

  #!/usr/bin/env -S sole script -- bash -euo pipefail --`,
	stopsAtName: true,
	setup:       setupScript,
}

func setupScript(f *flags) func([]string) int {
	var given string
	f.add(&flag{long: "name", value: "NAME", help: "hold NAME instead of a name made from the script's path", set: func(v string) error {
		given = v
		return name.Check(v)
	}})
	o := newRunFlags(f)
	return func(args []string) int {
		interpreter, script, rest, err := splitScript(args)
		if err != nil {
			return fail(err)
		}
		o.program, err = realPath(script)
		if err != nil {
			return fail(noScript(script, err))
		}
		n := given
		if n == "" {
			n = name.FromFile(o.program)
		}
		return o.start(n, append(append(slices.Clip(interpreter), script), rest...))
	}
}

// splitScript finds the script among the words of a #! line, the path that the kernel put
// behind them, and the arguments behind that.
func splitScript(args []string) (interpreter []string, script string, rest []string, err error) {
	const form = "#!/usr/bin/env -S sole script [FLAGS] INTERPRETER [-OPTION…], or … -- INTERPRETER … --"
	marked := len(args) > 0 && args[0] == "--"
	if marked {
		args = args[1:]
	}
	end := endOfInterpreter(args, marked)
	if end < 0 {
		return nil, "", nil, &failure{exitUsage, "script: there is no second -- before the script", form}
	}
	interpreter, rest = args[:end], args[end:]
	if marked {
		rest = rest[1:]
	}
	switch {
	case len(interpreter) == 0 || interpreter[0] == "":
		return nil, "", nil, &failure{exitUsage, "script: an interpreter is missing", form}
	case len(rest) == 0 || rest[0] == "":
		return nil, "", nil, &failure{exitUsage, "script: there is no script behind " + shorten(strings.Join(interpreter, " ")), form}
	}
	return interpreter, rest[0], rest[1:], nil
}

// endOfInterpreter is where the interpreter's words end: at the next "--" if they are marked,
// -1 if there is none.
func endOfInterpreter(args []string, marked bool) int {
	if marked {
		return slices.Index(args, "--")
	}
	end := min(1, len(args))
	for end < len(args) && strings.HasPrefix(args[end], "-") {
		end++
	}
	return end
}

// realPath is the path of the file without symbolic links. filepath.Abs would take away
// ".." before it is known what the link in front of it leads to.
func realPath(file string) (string, error) {
	if !filepath.IsAbs(file) {
		cwd, err := os.Getwd()
		if err != nil {
			return "", err
		}
		file = cwd + "/" + file
	}
	return filepath.EvalSymlinks(file)
}

func noScript(script string, err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	code, h := exitNotExec, ""
	if errno == syscall.ENOENT || errno == syscall.ENOTDIR {
		code, h = exitNotFound, "if it is the value of an interpreter's option: sole script -- INTERPRETER … -- SCRIPT"
	}
	return &failure{code, fmt.Sprintf("script: cannot find %s: %v", shorten(script), errno), h}
}

// hashBang takes the words of a #! line apart that names sole itself: the kernel hands them
// over as one.
func hashBang(word string) []string {
	if !strings.HasPrefix(word, scriptCommand.name+" ") && !strings.HasPrefix(word, scriptCommand.name+"\t") {
		return nil
	}
	return strings.Fields(word)
}
