package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What Debian's crontab takes, it takes with sole in it.
func TestCrontabTakesWhatIsPrinted(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "crontab", "cron")
	b := newBox(t)
	tabs := b.file("tabs")
	must(t, os.Mkdir(tabs, 0o755))
	n := 0
	for _, file := range crontabFiles(t) {
		text, err := os.ReadFile(file)
		must(t, err)
		jobs, printed := b.crontabJobs(file)
		was, is := strings.Split(string(text), "\n"), strings.Split(printed, "\n")
		for _, j := range jobs {
			if j.Changes && j.User == "" {
				n++
				must(t, os.WriteFile(fmt.Sprintf("%s/%d.before", tabs, n), []byte(was[j.Line-1]+"\n"), 0o600))
				must(t, os.WriteFile(fmt.Sprintf("%s/%d.after", tabs, n), []byte(is[j.Line-1]+"\n"), 0o600))
			}
		}
	}
	must(t, os.MkdirAll(b.file("spool/crontabs"), 0o755))
	script := `mount --bind "$1" /var/spool/cron || exit 1
		for before in "$2"/*.before; do
			if crontab "$before" 2>/dev/null; then
				echo taken
				crontab "${before%.before}.after" || cat "${before%.before}.after"
			fi
		done`
	c := b.command(need(t, "unshare", "util-linux"), "-m", "sh", "-c", script, "sh", b.file("spool"), tabs)
	o := b.finish(c)
	taken := strings.Count(o.stdout, "taken\n")
	if o.code != 0 || o.stderr != "" || len(o.stdout) != taken*len("taken\n") {
		t.Error(o)
	}
	if taken < n*3/4 {
		t.Fatalf("crontab took only %d of %d lines", taken, n)
	}
}

// A real cron runs what sole prints as it runs the original: quotes, %, standard input, the
// shell of the crontab. Cron waits for the full minute, so this one is not for every run.
func TestCronRunsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	needRoot(t)
	if os.Getenv("SOLE_LONG") != "1" && os.Getenv("CI") != "true" {
		t.Skip("takes a minute; SOLE_LONG=1 runs it")
	}
	cron := need(t, "cron", "cron")
	b := newBox(t)
	for _, dir := range []string{"cron.d", "spool", "run", "etc", "before", "after"} {
		must(t, os.Mkdir(b.file(dir), 0o755))
	}
	lines := []string{
		`* * * * * root printf '[\%s]' 'a\%b' "c\%d" e\%f 'g\\h' "it's" >>$OUT/1 && cat >>$OUT/1%one%two\%%`,
		`* * * * *  root	sort >>$OUT/2%b%a`,
		`@reboot root cd / && env printf '\%s\n' "$PWD" "$SHELL" >>$OUT/3`,
		`* * * * * root for i in 1 '2  3'; do echo "$i"; done >>$OUT/4; echo $0 >>$OUT/4`,
		`* * * * * root flock -n $OUT/lock -c 'cat; echo "$SHELL" \%' >>$OUT/5 || echo busy >>$OUT/5%in`,
		"SHELL=/bin/bash",
		`* * * * * root [[ a == a ]] && cat <<< "$BASH" >>$OUT/6; echo ${0##*/} >>$OUT/6`,
		`* * * * * root tr a-z A-Z >>$OUT/7 &`,
		`* * * * * root tr a-z A-Z | rev >>$OUT/7b%shout%`,
	}
	const files = 8
	tab := b.file("tab")
	must(t, os.WriteFile(tab, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	printed := b.expect(0, "crontab", "--system", "--sole", binary, tab).stdout
	if n := strings.Count(printed, binary+" run "); n != files {
		t.Fatalf("%d jobs were changed:\n%s", n, printed)
	}
	text, err := os.ReadFile(tab)
	must(t, err)
	for out, jobs := range map[string]string{"before": string(text), "after": printed} {
		head := fmt.Sprintf("OUT=%s\nSOLE_DIR=%s\n", b.file(out), b.dir)
		must(t, os.WriteFile(b.file("cron.d/"+out), []byte(head+jobs), 0o644))
	}
	must(t, os.WriteFile(b.file("etc/crontab"), nil, 0o644))
	script := `set -e
		mount --bind "$1/cron.d" /etc/cron.d
		[ ! -e /etc/crontab ] || mount --bind "$1/etc/crontab" /etc/crontab
		mount --bind "$1/spool" /var/spool/cron
		mkdir "$1/spool/crontabs"
		mount --bind "$1/run" /run
		exec "$2" -f`
	c := b.command(need(t, "unshare", "util-linux"), "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", script, "sh", b.work, cron)
	must(t, c.Start())
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	written := func(out string) map[string]string {
		all := map[string]string{}
		names, _ := filepath.Glob(b.file(out + "/[0-9]*"))
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && (len(text) > 0 || filepath.Base(name) == "7") {
				all[filepath.Base(name)] = string(text)
			}
		}
		return all
	}
	late := time.Now().Add(100 * time.Second)
	for {
		before, after := written("before"), written("after")
		if len(before) == files && fmt.Sprint(before) == fmt.Sprint(after) {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("was %q\nis  %q", before, after)
		}
		pause()
	}
}
