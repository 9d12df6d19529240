package cli

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What cron starts and what a person starts by hand exclude each other. Cron waits for
// the full minute, so this one is not for every run.
func TestCron(t *testing.T) {
	t.Parallel()
	needRoot(t)
	if os.Getenv("SOLE_LONG") != "1" && os.Getenv("CI") != "true" {
		t.Skip("takes a minute; SOLE_LONG=1 runs it")
	}
	cron := need(t, "cron", "cron")
	unshare := need(t, "unshare", "util-linux")
	b := newBox(t)
	for _, dir := range []string{"cron.d", "spool", "run", "etc"} {
		must(t, os.Mkdir(b.file(dir), 0o755))
	}
	said := b.fifo("said")
	tab := fmt.Sprintf("* * * * * root SOLE_DIR=%s %s run job -- sh -c 'echo up $$ >%s; exec cat %s' 2>/dev/null\n",
		b.dir, binary, said, said+".end")
	must(t, syscall.Mkfifo(said+".end", 0o600))
	must(t, os.WriteFile(b.file("cron.d/job"), []byte(tab), 0o644))
	must(t, os.WriteFile(b.file("etc/crontab"), nil, 0o644))
	script := `set -e
		mount --bind "$1/cron.d" /etc/cron.d
		[ ! -e /etc/crontab ] || mount --bind "$1/etc/crontab" /etc/crontab
		mount --bind "$1/spool" /var/spool/cron
		mkdir "$1/spool/crontabs"
		mount --bind "$1/run" /run
		exec "$2" -f`
	c := b.command(unshare, "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", script, "sh", b.work, cron)
	log, err := os.Create(b.file("log"))
	must(t, err)
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	must(t, c.Start())
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()

	up := make(chan string, 1)
	go func() {
		text, err := os.ReadFile(said)
		if err != nil {
			text = []byte(err.Error())
		}
		up <- string(text)
	}()
	late := time.NewTimer(100 * time.Second)
	defer late.Stop()
	select {
	case text := <-up:
		if !strings.HasPrefix(text, "up ") {
			t.Fatal(text)
		}
	case <-late.C:
		text, _ := os.ReadFile(b.file("log"))
		w, err := os.OpenFile(said, os.O_RDWR, 0) // has the reader end
		must(t, err)
		w.Close()
		t.Fatalf("cron did not start the job: %s", text)
	}
	b.skips("job")
	w, err := os.OpenFile(said+".end", os.O_WRONLY, 0)
	must(t, err)
	w.Close()
	b.expect(0, "wait", "--timeout", "20s", "job")
	b.takes("job")
}
