package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sole-run/sole/internal/crontab"
)

// exitUnguarded says that cron would start a job beside itself: nobody holds it back.
const exitUnguarded = exitFree

var crontabCommand = &command{
	name:    "crontab",
	args:    "[FILE]",
	summary: "print a crontab with 'sole run' put into its jobs",
	about: `Reads FILE, standard input if FILE is -, or your own crontab as crontab -l has
it. Prints it with 'sole run NAME --' before each command that nothing guards,
and in the place of flock, lckdo, setlock, chpst -L, with-lock-ex and run-one.
Each byte that is not part of such a command stays as it is; what sole cannot
read for sure it leaves alone, and says so on standard error. It installs
nothing: look at the result, then install it, as in
'sole crontab >new && crontab new'. With --check it exits with 3 if there are
jobs that nothing guards, or that it cannot read.`,
	setup: func(f *flags) func([]string) int {
		o := &crontabFlags{names: map[int]string{}, leave: map[int]bool{}}
		f.bool(&o.check, "check", 0, "only list the jobs: what guards them, and the name they would get")
		f.bool(&o.asJSON, "json", 0, "with --check: print JSON")
		f.string(&o.user, "user", 'u', "USER", "read the crontab of USER")
		f.bool(&o.system, "system", 0, "a system crontab: a user stands before each command")
		f.bool(&o.personal, "no-system", 0, "not one, wherever FILE is")
		f.string(&o.sole, "sole", 0, "PATH", "how the jobs call sole")
		f.add(&flag{long: "name", value: "LINE=NAME", many: true, help: "the job in that line gets NAME", set: o.addName})
		f.string(&o.prefix, "prefix", 0, "TEXT", "all names that are made begin with TEXT")
		f.add(&flag{long: "leave", value: "LINE", many: true, help: "leave that line alone", set: func(v string) error {
			n, err := lineNumber(v)
			o.leave[n] = true
			return err
		}})
		f.bool(&o.quiet, "quiet", 'q', "starts that are skipped say nothing: run gets -q")
		f.bool(&o.drop, "drop-lock-files", 0, "do not lock the files that flock and others did")
		return o.run
	},
}

// crontabFlags is what `sole crontab` was asked for.
type crontabFlags struct {
	check, asJSON    bool
	system, personal bool
	quiet, drop      bool
	user, sole       string
	prefix           string
	names            map[int]string
	leave            map[int]bool
}

func (o *crontabFlags) addName(v string) error {
	line, n, ok := strings.Cut(v, "=")
	number, err := lineNumber(line)
	switch {
	case !ok || err != nil:
		return errors.New("it is like 12=backup, with the number of a line")
	case crontab.CheckName(n) != nil:
		return crontab.CheckName(n)
	}
	o.names[number] = n
	return nil
}

func lineNumber(v string) (int, error) {
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil || n == 0 {
		return 0, errors.New("it is the number of a line")
	}
	return int(n), nil
}

func (o *crontabFlags) run(args []string) int {
	err := o.refuse(args)
	if err != nil {
		return fail(err)
	}
	src := source{user: o.user}
	if len(args) == 1 {
		src.file = args[0]
	}
	text, err := src.read()
	if err != nil {
		return fail(err)
	}
	tab := crontab.Parse(text, crontab.Options{System: o.system || !o.personal && src.isSystem()})
	own, err := os.Executable()
	if err != nil && o.sole == "" {
		return fail(&failure{exitOS, "cannot find out where sole is: " + err.Error(), "say it with --sole"})
	}
	tab.Apply(crontab.Choice{Sole: o.caller(own), NoPlace: o.noPlace(), Quiet: o.quiet, Drop: o.drop, Prefix: o.prefix, Names: o.names, Leave: o.leave})
	if err := o.misses(tab); err != nil {
		return fail(err)
	}
	if o.check {
		return checkCrontab(tab, src, o.asJSON)
	}
	return printCrontab(tab, src)
}

// refuse finds flags that make no sense.
func (o *crontabFlags) refuse(args []string) error {
	switch {
	case len(args) > 1:
		return usageError("crontab: %q is too much: it takes one file", shorten(args[1]))
	case len(args) == 1 && args[0] == "":
		return usageError("crontab: FILE is empty")
	case len(args) == 1 && o.user != "":
		return usageError("crontab: FILE and --user contradict each other")
	case o.system && o.personal:
		return usageError("--system and --no-system contradict each other")
	case o.system && len(args) == 0:
		return usageError("--system: a user's own crontab has no user before the command")
	case o.asJSON && !o.check:
		return usageError("--json goes with --check")
	case strings.HasPrefix(o.user, "-"):
		return usageError("--user %q: no user is called that", shorten(o.user))
	case strings.ContainsAny(o.sole, "\n\x00"):
		return usageError("--sole: a newline cannot be in a crontab's line")
	case o.prefix != "" && crontab.CheckName(o.prefix+"x") != nil:
		return usageError("--prefix %q: a name cannot begin with that", shorten(o.prefix))
	case len(o.prefix) > maxPrefix:
		return usageError("--prefix: it has more than %d bytes", maxPrefix)
	}
	return nil
}

// maxPrefix leaves room for the name behind it.
const maxPrefix = 60

// misses reports a line of --name or --leave that is no job which could have that.
func (o *crontabFlags) misses(tab *crontab.Tab) error {
	jobs := map[int]*crontab.Line{}
	for _, l := range tab.Jobs() {
		jobs[l.Number] = l
	}
	for n := range o.leave {
		if jobs[n] == nil {
			return usageError("--leave %d: that line has no job", n)
		}
	}
	for n, name := range o.names {
		if l := jobs[n]; l == nil {
			return usageError("--name %d=%s: that line has no job", n, name)
		} else if len(l.Edits) == 0 {
			return usageError("--name %d=%s: that line stays as it is", n, name)
		}
	}
	return nil
}

// caller is how a job calls sole: by its name where cron finds it in the job's PATH, else by
// the path of this program.
func (o *crontabFlags) caller(own string) func(path string) string {
	found := map[string]bool{}
	return func(path string) string {
		if o.sole != "" {
			return o.sole
		}
		ok, known := found[path]
		if !known {
			for _, dir := range filepath.SplitList(path) {
				st, err := os.Stat(filepath.Join(dir, "sole"))
				if filepath.IsAbs(dir) && err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
					ok = true
					break
				}
			}
			found[path] = ok
		}
		if ok {
			return "sole"
		}
		return own
	}
}

// noPlace asks once for each user.
func (o *crontabFlags) noPlace() func(name string) string {
	known := map[string]string{}
	return func(name string) string {
		if name == "" {
			name = o.user
		}
		why, asked := known[name]
		if !asked {
			why = noPlace(name)
			known[name] = why
		}
		return why
	}
}

// printCrontab prints the crontab, and says what is to be known of its lines.
func printCrontab(tab *crontab.Tab, src source) int {
	for _, l := range tab.Jobs() {
		if l.Remark != "" {
			say("crontab: line %d: %s", l.Number, l.Remark)
		}
	}
	_, err := os.Stdout.WriteString(tab.String())
	if err == nil && isTerminal(1) {
		hint("%s", src.install())
	}
	return printed(err)
}

func (s source) install() string {
	switch {
	case s.user != "":
		return fmt.Sprintf("nothing was installed; to do so: sole crontab -u %s >new && crontab -u %s new", quote(s.user), quote(s.user))
	case s.file != "":
		return "nothing was installed; write it to a new file, look at it, and put that in the place of the old one"
	}
	return "nothing was installed; to do so: sole crontab >new && crontab new"
}
