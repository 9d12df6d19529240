//go:build linux

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The crontabs of the pages: sole reads each job as one that it guards, cron takes them, and each name and
// command is what sole takes.
func TestCronRecipes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	jobs := 0
	for _, bl := range blocks(t, recipePages...) {
		if bl.what != "cron" {
			continue
		}
		file := b.file("crontab")
		must(t, os.WriteFile(file, []byte(bl.text), 0o600))
		want := map[bool]int{true: 0, false: 3}[bl.arg == ""] // else the comment says why sole is not in it
		o := b.expect(want, "crontab", "--check", "--json", file)
		var found []struct{ State, Name, Command, Remark string }
		must(t, json.Unmarshal([]byte(o.stdout), &found))
		if len(found) == 0 {
			t.Errorf("%s: no job", &bl)
		}
		for _, job := range found {
			jobs++
			if job.State != "sole" && want == 0 {
				t.Errorf("%s: %+v", &bl, job)
			}
			b.isRun(&bl, job.Command)
		}
		if o := b.expect(0, "crontab", file); o.stdout != bl.text && want == 0 {
			t.Errorf("%s: %s", &bl, o.stdout)
		}
	}
	if jobs < 10 {
		t.Errorf("%d jobs", jobs)
	}
}

// isRun checks that a job's command is one that sole takes, by a run with `true` in the command's place.
func (b *box) isRun(bl *block, command string) {
	b.Helper()
	before, _, found := strings.Cut(command, " -- ")
	if !found {
		return
	}
	before = strings.ReplaceAll(before, "--jitter 10m", "--jitter 1ms")
	if o := b.finish(b.command("sh", "-c", strings.Replace(before, "sole ", binary+" ", 1)+" -- true")); o.code != 0 {
		b.Errorf("%s: %s: %v", bl, command, o)
	}
}

// run-parts runs what the page puts into cron.daily, and has nothing to complain of.
func TestRunPartsRecipe(t *testing.T) {
	t.Parallel()
	need(t, "run-parts", "debianutils")
	k := newKitchen(t)
	daily := k.file("daily")
	must(t, os.Mkdir(daily, 0o755))
	must(t, os.Rename(k.file("bin/nightly"), filepath.Join(daily, "nightly")))
	h := k.holdName("nightly")
	if o := k.finish(k.command("run-parts", daily)); o.code != 0 || strings.Contains(o.stderr, "run-parts") || k.called() != "" {
		t.Error(o)
	}
	h.release()
	if o := k.finish(k.command("run-parts", daily)); o.code != 0 || o.stderr != "" {
		t.Error(o)
	}
	mustContain(t, k.called(), "nightly-job ")
}

// The units of the page are those of packaging/systemd, and systemd finds no fault with them.
func TestUnitRecipes(t *testing.T) {
	t.Parallel()
	shown := 0
	for _, bl := range blocks(t, recipePages...) {
		if bl.what != "same" {
			continue
		}
		shown++
		file, err := os.ReadFile(filepath.Join("../../docs", bl.arg))
		must(t, err)
		if string(file) != bl.text {
			t.Errorf("%s is not %s", &bl, bl.arg)
		}
	}
	files, err := filepath.Glob("../../packaging/systemd/*")
	must(t, err)
	if shown != len(files) {
		t.Errorf("%d of %d units are shown", shown, len(files))
	}
	b := newBox(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(b.file(filepath.Base(file)), b.here(text), 0o644))
	}
	if out := b.verify("sole-backup.service", "sole-backup.timer", "sole-job@.service"); out != "" {
		t.Error(out)
	}
	must(t, os.WriteFile(b.file("faulty.service"), []byte("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n"), 0o644))
	mustContain(t, b.verify("faulty.service"), "ProtectSytem")
}

// here names a program that is there in the place of those that a unit names: systemd-analyze looks.
func (b *box) here(unit []byte) []byte {
	unit = bytes.ReplaceAll(unit, []byte("/usr/bin/sole"), []byte(binary))
	return bytes.ReplaceAll(unit, []byte("/usr/local/bin/%i"), []byte("/bin/true"))
}

// verify is what systemd-analyze has to say of units in the box.
func (b *box) verify(units ...string) string {
	b.Helper()
	args := []string{"verify", "--man=no"}
	for _, u := range units {
		args = append(args, b.file(u))
	}
	o := b.finish(b.command(need(b.T, "systemd-analyze", "systemd"), args...))
	return strings.TrimSpace(o.stdout + o.stderr)
}

// strictYAML loads a document, and refuses a key that is there twice, which YAML forbids and most
// loaders let pass.
const strictYAML = `
import sys, yaml
class Strict(yaml.SafeLoader): pass
def mapping(loader, node):
    keys = [loader.construct_object(k, deep=True) for k, _ in node.value]
    assert len(keys) == len(set(keys)), "a key is there twice: %r" % keys
    return {loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value}
Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
d = yaml.load(sys.stdin, Strict)
assert isinstance(d, dict) and d, d
def walk(x, key=None):
    if isinstance(x, dict):
        for k, v in x.items(): walk(v, k)
    elif isinstance(x, list):
        if key == "command": print(" ".join(x))
        for v in x: walk(v)
    elif key == "run" or isinstance(x, str) and x.startswith("sole "): print(x)
walk(d)
`

func TestYAMLRecipes(t *testing.T) {
	t.Parallel()
	python := need(t, "python3", "python3")
	if exec.Command("/usr/bin/python3", "-c", "import yaml").Run() == nil {
		python = "/usr/bin/python3"
	} else if exec.Command(python, "-c", "import yaml").Run() != nil {
		need(t, "python3 with yaml", "python3-yaml")
	}
	b := newBox(t)
	load := func(text string) outcome {
		c := b.command(python, "-c", strictYAML)
		c.Stdin = strings.NewReader(text)
		return b.finish(c)
	}
	commands := 0
	for _, bl := range blocks(t, recipePages...) {
		switch bl.lang {
		case "yaml":
			o := load(bl.text)
			if o.code != 0 {
				t.Errorf("%s: %v", &bl, o)
			}
			for line := range strings.Lines(o.stdout) {
				if strings.Contains(line, "sole ") {
					commands++
					b.isRun(&bl, strings.Replace(line, "/usr/bin/sole", "sole", 1))
				}
			}
		case "json":
			if !json.Valid([]byte(bl.text)) || strings.Count(bl.text, "\n") != 1 {
				t.Errorf("%s is no line of JSON", &bl)
			}
		}
	}
	if commands < 5 {
		t.Errorf("%d commands", commands)
	}
	if o := load("a: 1\nb: {c: 1, c: 2}\n"); o.code == 0 {
		t.Error("a key that is there twice was let pass")
	}
}

// As the first process of a pid namespace, sole passes SIGTERM on and collects orphans.
func TestFirstProcessOfAContainer(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t).warm("n")
	for _, flags := range [][]string{nil, {"--max-time", "1h"}} {
		args := append([]string{"-pf", "--mount-proc", binary, "run"}, flags...)
		args = append(args, "n", "--", "sh", "-c", `trap 'echo term; exit 7' TERM
			(sh -c 'exit 0' & ) ; until ! grep -qs "^State:.Z" /proc/[0-9]*/status; do :; done
			echo up $$; while :; do sleep 0.01; done`)
		h := b.start(b.command(need(t, "unshare", "util-linux"), args...))
		first := childOf(h.Process.Pid)
		must(t, syscall.Kill(first, syscall.SIGTERM))
		if line := h.line(); line != "term\n" {
			t.Errorf("%q", line)
		}
		if o := h.wait(); o.code != 7 {
			t.Error(o)
		}
	}
}
