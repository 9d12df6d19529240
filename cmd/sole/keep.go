package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/sole-run/sole"
)

var pathCommand = &command{
	name:       "path",
	args:       "[NAME]",
	summary:    "print where NAME's lock file is, or the directory",
	takesNames: true,
	freeNames:  true,
	setup: func(f *flags) func([]string) int {
		var dir string
		var made bool
		f.bool(&made, "make", 0, "make the directory and NAME's lock file if they are missing, for 'sole lock'")
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			var path string
			var err error
			if made {
				var n string
				if n, err = oneName("path --make", args); err == nil {
					path, err = sole.Prepare(n, sole.Dir(dir))
				}
			} else if len(args) == 0 {
				path, err = sole.Path("x", sole.Dir(dir))
				path = dirOf(path)
			} else {
				var n string
				if n, err = oneName("path", args); err == nil {
					path, err = sole.Path(n, sole.Dir(dir))
				}
			}
			if err != nil {
				return fail(err)
			}
			return printLine(path)
		}
	},
}

var cleanCommand = &command{
	name:    "clean",
	summary: "remove the lock files of names that nobody holds",
	about: `There is no need to: a lock file that stays behind is free. Run numbers go on
where they were. Prints the names whose files were removed. Histories stay, but
with --history.`,
	setup: func(f *flags) func([]string) int {
		var dir string
		var asJSON, forget bool
		f.bool(&forget, "history", 0, "also remove the histories of names that nobody holds")
		f.bool(&asJSON, "json", 0, jsonHelp)
		f.string(&dir, "dir", 0, "DIR", dirHelp)
		return func(args []string) int {
			if len(args) > 0 {
				return fail(usageError("clean: %q is too much: it takes no name", shorten(args[0])))
			}
			opts := []sole.Option{sole.Dir(dir)}
			if forget {
				opts = append(opts, sole.Forget())
			}
			removed, err := sole.Clean(opts...)
			code := exitOK
			if err != nil {
				code = fail(err)
			}
			if asJSON {
				return max(code, printJSON(append([]string{}, removed...)))
			}
			for _, n := range removed {
				code = max(code, printLine(n))
			}
			return code
		}
	},
}

// version is set by the Makefile.
var version = ""

var versionCommand = &command{
	name:    "version",
	summary: "print the version",
	setup: func(f *flags) func([]string) int {
		var asJSON bool
		f.bool(&asJSON, "json", 0, jsonHelp)
		return func([]string) int {
			v := version
			if info, ok := debug.ReadBuildInfo(); ok && v == "" {
				v = info.Main.Version
			}
			if asJSON {
				return printJSON(map[string]string{"version": v})
			}
			return printLine("sole " + v)
		}
	},
}

var helpCommand = &command{
	name:    "help",
	args:    "[COMMAND]",
	summary: "say how to use sole, or COMMAND",
}

func init() { helpCommand.setup = setupHelp } // it lists all commands, itself included

func setupHelp(*flags) func([]string) int {
	return func(args []string) int {
		if len(args) == 0 {
			return printed(usage(os.Stdout))
		}
		c := commandNamed(args[0])
		if c == nil {
			return fail(usageError("there is no command %q", shorten(args[0])))
		}
		return c.help()
	}
}

// usage writes the short help.
func usage(out io.Writer) error {
	text := "usage: sole COMMAND [FLAGS] …\n\n"
	for _, c := range commands() {
		const args, indent = 27, 2 + 10 + 1 + 27 + 1
		words := c.args
		if len([]rune(words)) > args { // the summary begins below
			words += fmt.Sprintf("\n%*s", indent-1, "")
		}
		text += fmt.Sprintf("  %-10s %-*s %s\n", c.name, args, words, fold(c.summary, helpWidth-indent, indent))
	}
	text += "\n  */5 * * * *  sole run backup -- /usr/local/bin/backup.sh\n\n" +
		"'sole help COMMAND' tells more. Exit codes of run: the command's own; 75 busy;\n" +
		"124 max time; 126 not executable; 127 not found; 64 usage; 70 a bug in sole;\n" +
		"71 the system refused; 73 lock cannot be created; 77 unsafe or forbidden place;\n" +
		"78 bad configuration.\n"
	_, err := io.WriteString(out, text)
	return err
}

// help writes how to use one command.
func (c *command) help() int {
	f := &flags{}
	c.setup(f)
	text := "usage: sole " + c.name
	if len(f.all) > 0 {
		text += " [FLAGS]"
	}
	if c.args != "" {
		text += " " + c.args
	}
	text += "\n\n" + c.summary + "\n"
	if c.about != "" {
		text += "\n" + c.about + "\n"
	}
	if len(f.all) > 0 {
		text += "\n"
	}
	const indent = 2 + 22 + 1
	for _, fl := range f.all {
		text += fmt.Sprintf("  %-22s %s\n", fl.usage(), fold(fl.help, helpWidth-indent, indent))
	}
	_, err := os.Stdout.WriteString(text)
	return printed(err)
}

// helpWidth is how wide the help may be: as a terminal is that nobody has made larger.
const helpWidth = 80

// usage is how the flag is written: "-w D, --wait[=D]".
func (fl *flag) usage() string {
	s := "    "
	if fl.short != 0 {
		s = fmt.Sprintf("-%c, ", fl.short)
	}
	s += "--" + fl.long
	switch {
	case fl.optional:
		s += "[=" + fl.value + "]"
	case fl.value != "":
		s += " " + fl.value
	}
	return s
}

func printLine(s string) int {
	_, err := fmt.Println(s)
	return printed(err)
}
