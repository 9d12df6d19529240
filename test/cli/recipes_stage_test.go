//go:build linux

package cli

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A kitchen is a box in which recipes run. The programs that would reach somebody, such as mail, are
// fakes that write down how they were called; curl, jq and the shell are real, and every host of
// example.org is a server here.
type kitchen struct {
	*box
	server string
	mu     sync.Mutex
	got    []string // requests
}

// bins is where the pages put programs of their own.
const bins = "/usr/local/bin/"

// fakes are the programs that are not run.
var fakes = []string{
	"mail", "sendmail", "logger", "systemd-cat", "notify-send", "restic", "rsync", "pg_dump", "import-chunk", "index",
	"nightly-job", "build", "deploy", "report", "npm",
}

// fake says how it was called. With FAKE_HOLD it says that it is up, and goes on until its input ends.
const fake = `#!/bin/sh
line="${0##*/}"
for a; do line="$line <$a>"; done
case ${0##*/} in mail|sendmail|systemd-cat) line="$line in=$(cat)";; esac
printf '%s run=%s slot=%s\n' "$line" "$SOLE_RUN" "$SOLE_SLOT" >>"$CALLED"
if [ "$FAKE_HOLD" ]; then echo up $$; exec cat >/dev/null; fi
exit ${FAKE_CODE:-0}
`

// backupFake is what the pages call backup.sh.
const backupFake = `#!/bin/sh
printf 'backup.sh run=%s\n' "$SOLE_RUN" >>"$CALLED"
if [ "$FAKE_HOLD" ]; then echo up $$; exec cat >/dev/null; fi
exit ${BACKUP_CODE:-0}
`

func newKitchen(t *testing.T) *kitchen {
	k := &kitchen{box: newBox(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: k}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	k.server = "http://" + l.Addr().String()
	bin := k.file("bin")
	for _, dir := range []string{"bin", "home", "srv", "var"} {
		must(t, os.Mkdir(k.file(dir), 0o755))
	}
	must(t, os.Symlink(binary, filepath.Join(bin, "sole")))
	for _, p := range fakes {
		k.program(p, fake)
	}
	k.program("backup.sh", backupFake)
	k.env = append(k.env, "PATH="+bin+":"+os.Getenv("PATH"), "CALLED="+k.file("called"), "HOME="+k.file("home"), "PYTHONDONTWRITEBYTECODE=1")
	examples, err := filepath.Abs("../../examples/python")
	must(t, err)
	k.env = append(k.env, "PYTHONPATH="+examples)
	for _, b := range blocks(t, recipePages...) {
		if b.what == "file" {
			k.program(strings.TrimPrefix(b.arg, bins), k.adapt(b.text))
		}
	}
	return k
}

func (k *kitchen) program(name, text string) {
	k.Helper()
	must(k, os.WriteFile(filepath.Join(k.file("bin"), name), []byte(text), 0o755))
}

// ServeHTTP writes a request down.
func (k *kitchen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got = append(k.got, strings.TrimSpace(strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Title"), string(body)}, " ")))
}

// requests are those that came since the last call.
func (k *kitchen) requests() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	got := k.got
	k.got = nil
	return got
}

// called is what the fakes wrote down since the last call.
func (k *kitchen) called() string {
	k.Helper()
	text, _ := os.ReadFile(k.file("called"))
	_ = os.Remove(k.file("called"))
	return string(text)
}

var host = regexp.MustCompile(`https://[a-z]+\.example\.org`)

// adapt puts the box in the place of the host's own directories and servers.
func (k *kitchen) adapt(text string) string {
	text = host.ReplaceAllString(text, k.server)
	for _, r := range [][2]string{{bins, k.file("bin") + "/"}, {"/srv/", k.file("srv") + "/"}, {"/var/backups/", k.file("var") + "/"}, {"/run/lock/", k.file("var") + "/"}} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	return text
}

// recipe is the command that runs a block.
func (k *kitchen) recipe(name string, env ...string) *exec.Cmd {
	k.Helper()
	for _, b := range blocks(k, recipePages...) {
		if b.what != "run" || b.arg != name {
			continue
		}
		interpreter := "sh"
		if b.lang == "python" {
			interpreter = need(k.T, "python3", "python3")
		}
		c := k.command(interpreter, "-c", k.adapt(b.text))
		c.Env = append(c.Env, env...)
		return c
	}
	k.Fatalf("there is no recipe %s", name)
	return nil
}

// cook runs a block, and checks its exit code.
func (k *kitchen) cook(code int, name string, env ...string) outcome {
	k.Helper()
	o := k.finish(k.recipe(name, env...))
	if o.code != code {
		k.Fatalf("%s: want exit %d, got %v", name, code, o)
	}
	return o
}

// holdName has somebody hold a name.
func (k *kitchen) holdName(name string) *held { return k.hold(name) }
