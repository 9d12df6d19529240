package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// cronLine is a job as cron sees it. This is written down a second time, so that nothing is
// compared with itself.
type cronLine struct {
	shell   string
	text    string // as it stands in the crontab, from the command on
	command string
	input   string
}

// cronLines reads the jobs with these numbers.
func cronLines(text string, fields map[int]int) map[int]cronLine {
	all := map[int]cronLine{}
	shell := "/bin/sh"
	for i, line := range strings.Split(text, "\n") {
		if v, ok := strings.CutPrefix(line, "SHELL="); ok {
			shell = strings.Trim(v, `"`)
		}
		n, ok := fields[i+1]
		if !ok {
			continue
		}
		rest := strings.TrimLeft(line, " \t")
		for range n {
			rest = strings.TrimLeft(rest[strings.IndexAny(rest, " \t"):], " \t")
		}
		c := cronLine{shell: shell, text: rest}
		c.command, c.input = cronSplit(rest)
		all[i+1] = c
	}
	return all
}

// cronSplit does what cron does with %.
func cronSplit(text string) (command, input string) {
	var b strings.Builder
	escaped, inside := false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case escaped && c == '%':
			b.WriteByte('%')
			escaped = false
		case escaped:
			b.WriteString("\\" + string(text[i:i+1]))
			escaped = false
		case c == '\\':
			escaped = true
		case c == '%' && !inside:
			command, inside = b.String(), true
			b.Reset()
		case c == '%':
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
		}
	}
	if escaped {
		b.WriteByte('\\')
	}
	if !inside {
		return b.String(), ""
	}
	if input = b.String(); input != "" && !strings.HasSuffix(input, "\n") {
		input += "\n"
	}
	return command, input
}

type crontabJob struct {
	Line                                                      int
	Schedule, User, Command, State, Guard, Name, Text, Remark string
	Changes                                                   bool
}

const crontabCorpus = "../../internal/crontab/testdata/*.cron"

func crontabFiles(t *testing.T) []string {
	files, err := filepath.Glob(crontabCorpus)
	must(t, err)
	if len(files) < 40 {
		t.Fatal("the corpus is gone")
	}
	for i := range files {
		files[i], err = filepath.Abs(files[i])
		must(t, err)
	}
	return files
}

// crontabJobs are the jobs of a file, and the file as sole prints it.
func (b *box) crontabJobs(file string) (jobs []crontabJob, printed string) {
	args := []string{"crontab", "--sole", "/usr/bin/sole"}
	if strings.HasPrefix(filepath.Base(file), "system-") {
		args = append(args, "--system")
	}
	printed = b.run(append(args, file)...).stdout
	o := b.run(append(args, "--check", "--json", file)...)
	if err := json.Unmarshal([]byte(o.stdout), &jobs); err != nil {
		b.Fatalf("%s: %v: %v", file, err, o)
	}
	return jobs, printed
}

// played are the jobs of the corpus that sole changes, before and after.
type played struct {
	crontabJob
	where         string
	before, after cronLine
}

func corpusPlay(t *testing.T) []played {
	b := newBox(t)
	var all []played
	for _, file := range crontabFiles(t) {
		text, err := os.ReadFile(file)
		must(t, err)
		jobs, printed := b.crontabJobs(file)
		fields := map[int]int{}
		for _, j := range jobs {
			if !j.Changes || strings.Contains(j.Command, "sole ls") {
				continue
			}
			fields[j.Line] = len(strings.Fields(j.Schedule))
			if j.User != "" {
				fields[j.Line]++
			}
			line := strings.Split(string(text), "\n")[j.Line-1]
			fields[j.Line] += strings.Count(line, " -n ")*btoi(strings.HasPrefix(filepath.Base(file), "bsd")) +
				strings.Count(line, " -q ")*btoi(strings.HasPrefix(filepath.Base(file), "bsd"))
		}
		before, after := cronLines(string(text), fields), cronLines(printed, fields)
		for _, j := range jobs {
			if _, ok := fields[j.Line]; ok {
				all = append(all, played{j, fmt.Sprintf("%s:%d", filepath.Base(file), j.Line), before[j.Line], after[j.Line]})
			}
		}
	}
	if len(all) < 150 {
		t.Fatalf("only %d jobs are changed", len(all))
	}
	return all
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func stageFor(t *testing.T, all []played) *stage {
	var commands []string
	for _, p := range all {
		commands = append(commands, p.before.command)
	}
	return newStage(t, commands)
}

// Each job calls the same programs with the same words, input, directory and variables as
// before, prints the same and exits alike; whether these programs succeed or fail.
func TestCrontabJobsDoTheSame(t *testing.T) {
	t.Parallel()
	all := corpusPlay(t)
	s := stageFor(t, all)
	for _, p := range all {
		if !strings.HasPrefix(p.before.shell, "/") {
			continue // cron would not start it either
		}
		for _, code := range []int{0, 3} {
			if code != 0 && strings.Contains(p.before.command, "while") {
				continue // it would never end
			}
			want := s.play(p.before.shell, p.before.command, p.before.input, code)
			got := s.play(p.after.shell, p.after.command, p.after.input, code)
			if !slices.Equal(want.called, got.called) || want.out != got.out || want.code != got.code {
				t.Errorf("%s: with programs that exit with %d\n%s\nwas %s\nis  %s", p.where, code, p.after.text, want, got)
			}
		}
	}
}

// The harness can fail: a job that is not the same is noticed.
func TestCrontabStageNoticesADifference(t *testing.T) {
	t.Parallel()
	s := newStage(t, []string{"/opt/jobs/a.sh x"})
	want := s.play("/bin/sh", "/opt/jobs/a.sh 'x y'", "in\n", 0)
	if len(want.called) != 2 || want.called[0] != "a.sh <x y> in=in/ at=/root A= C= umask=0022" || want.out != "output of a.sh\n" {
		t.Fatal(want)
	}
	for _, other := range []string{"/opt/jobs/a.sh x y", "/usr/bin/sole run n -- /bin/sh -c '/opt/jobs/a.sh x y'", "true", "/opt/jobs/a.sh 'x y' </dev/null"} {
		if got := s.play("/bin/sh", other, "in\n", 0); slices.Equal(want.called, got.called) {
			t.Errorf("%s: no difference to %s", other, got)
		}
	}
}

// Where another program holds the lock file of a guard that was translated, the job still does
// what it did: those who look at the exit code see the one that they know.
func TestCrontabJobsAreExcludedAlike(t *testing.T) {
	t.Parallel()
	all := corpusPlay(t)
	s := stageFor(t, all)
	tried := 0
	for _, p := range all {
		i := strings.Index(p.Text, "--lock ")
		if i < 0 || strings.Contains(p.Text, "--wait") || strings.Contains(p.Text, "-w ") {
			continue
		}
		file := strings.Trim(strings.Fields(p.Text[i:])[1], "'")
		if strings.ContainsAny(file, `"$\`) {
			continue
		}
		held, err := os.OpenFile(s.file(file), os.O_RDWR|os.O_CREATE, 0o644)
		must(t, err)
		must(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))
		want := s.play(p.before.shell, p.before.command, p.before.input, 0)
		got := s.play(p.after.shell, p.after.command, p.after.input, 0)
		held.Close()
		if !slices.Equal(want.called, got.called) || want.out != got.out {
			t.Errorf("%s:\n%s\nwas %s\nis  %s", p.where, p.after.text, want, got)
		}
		if strings.Contains(p.Text, "-E ") && want.code != got.code {
			t.Errorf("%s: exits with %d, which was %d", p.where, got.code, want.code)
		}
		if strings.Contains(strings.Join(got.called, " "), p.Name+".sh") {
			t.Errorf("%s ran although %s is held: %s", p.where, file, got)
		}
		tried++
	}
	if tried < 15 {
		t.Fatalf("only %d guards were tried", tried)
	}
}
