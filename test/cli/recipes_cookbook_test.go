//go:build linux

package cli

import (
	"os"
	"slices"
	"strings"
)

var cookbookRecipes = map[string]func(k *kitchen){
	"python-subprocess": func(k *kitchen) {
		k.cook(0, "python-subprocess")
		mustContain(k, k.called(), "nightly-job <--all> run=1")
		if o := k.cook(1, "python-subprocess", "FAKE_CODE=4"); o.stderr != "nightly failed: 4\n" {
			k.Error(o)
		}
		h := k.holdName("nightly")
		if o := k.cook(0, "python-subprocess"); o.stdout != "nightly runs already\n" {
			k.Error(o)
		}
		h.release()
	},
	"python-with": func(k *kitchen) {
		if o := k.cook(0, "python-with"); o.stdout != "alone\n" {
			k.Error(o)
		}
		h := k.holdName("nightly")
		if o := k.cook(75, "python-with"); o.stdout != "" || o.stderr == "" {
			k.Error(o)
		}
		h.release()
	},
	"python-ls": func(k *kitchen) {
		for range 3 {
			k.expect(0, "run", "quick", "--", "sleep", "0.05")
		}
		h, slow := k.holdName("quick"), k.holdName("unknown")
		k.eventually("it has run for longer than usual", func() bool {
			return strings.HasPrefix(k.cook(0, "python-ls").stdout, "quick has run for ")
		})
		mustNotContain(k, k.cook(0, "python-ls").stdout, "unknown")
		h.release()
		slow.release()
	},
	"shell-part": func(k *kitchen) {
		k.waitsFor("index", "shell-part")
		mustContain(k, k.called(), "index <--all>")
		k.takes("index")
	},
	"shell-trap": func(k *kitchen) {
		tmp := k.file("tmp")
		must(k, os.Mkdir(tmp, 0o700))
		k.cook(0, "shell-trap", "TMPDIR="+tmp)
		mustContain(k, k.called(), "report run=")
		h := k.holdName("report")
		k.cook(75, "shell-trap", "TMPDIR="+tmp)
		h.release()
		if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 || k.called() != "" {
			k.Errorf("%v %v", left, err)
		}
	},
	"shell-function": func(k *kitchen) {
		need(k.T, "bash", "bash")
		if o := k.cook(0, "shell-function"); o.stdout != "run 1 of work\n" {
			k.Error(o)
		}
	},
	"shell-pipe": func(k *kitchen) {
		k.cook(0, "shell-pipe")
		mustContain(k, k.called(), "pg_dump <shop> run=1")
		if st, err := os.Stat(k.file("var/shop.gz")); err != nil || st.Size() == 0 {
			k.Errorf("%v %v", st, err)
		}
	},
	"shell-slots": func(k *kitchen) {
		k.cook(0, "shell-slots")
		var parts []string
		for line := range strings.Lines(k.called()) {
			part, slot, _ := strings.Cut(strings.TrimPrefix(line, "import-chunk <"), "> ")
			parts = append(parts, part)
			if _, n, ok := strings.Cut(slot, "slot="); !ok || n < "1" || n > "4\n" {
				k.Errorf("%q", line)
			}
		}
		slices.Sort(parts)
		if strings.Join(parts, "") != "12345678" {
			k.Errorf("%q", parts)
		}
	},
	"shell-else": func(k *kitchen) {
		if o := k.cook(0, "shell-else"); o.stdout != "" {
			k.Error(o)
		}
		h := k.holdName("backup")
		if o := k.cook(0, "shell-else"); o.stdout != "backup is running\n" {
			k.Error(o)
		}
		h.release()
	},
	"backup-dump": func(k *kitchen) {
		// The fake makes no dump, so that there is nothing to move.
		k.cook(1, "backup-dump")
		mustContain(k, k.called(), "pg_dump <--format=custom> <--file="+k.file("var/shop.new")+"> <shop> run=1")
		must(k, os.WriteFile(k.file("var/shop.new"), nil, 0o600))
		k.cook(0, "backup-dump")
		if _, err := os.Stat(k.file("var/shop.dump")); err != nil {
			k.Error(err)
		}
	},
	"backup-shared": func(k *kitchen) {
		k.cook(0, "backup-shared")
		mustContain(k, k.called(), "report <--from>", "restic <restore> <latest> <--target>")
		shared := k.hold("--shared", "data")
		l := k.launch(k.recipe("backup-shared"))
		k.waiters("data", 1) // the second one; the first has shared it
		mustContain(k, k.called(), "report <--from>")
		shared.release()
		if o := l.wait(); o.code != 0 {
			k.Error(o)
		}
		mustContain(k, k.called(), "restic <restore>")
	},
	"deploy-wait": func(k *kitchen) {
		k.waitsFor("deploy", "deploy-wait")
		mustContain(k, k.called(), "deploy <--to> <production>")
	},
	"deploy-queue": func(k *kitchen) {
		h := k.holdName("build")
		first := k.launch(k.recipe("deploy-queue"))
		k.waiters("build", 1)
		k.cook(0, "deploy-queue")
		h.release()
		if o := first.wait(); o.code != 0 {
			k.Error(o)
		}
		if called := k.called(); strings.Count(called, "build ") != 1 {
			k.Errorf("%q", called)
		}
	},
	"deploy-replace": func(k *kitchen) {
		h := k.holdName("preview")
		k.cook(0, "deploy-replace")
		mustContain(k, k.called(), "npm <run> <dev> run=2")
		h.wait()
	},
}

// waitsFor checks that the recipe waits while somebody has the name, and then goes well.
func (k *kitchen) waitsFor(name, recipe string) {
	k.Helper()
	h := k.holdName(name)
	l := k.launch(k.recipe(recipe))
	k.waiters(name, 1)
	if called := k.called(); called != "" {
		k.Errorf("it did not wait: %q", called)
	}
	h.release()
	if o := l.wait(); o.code != 0 {
		k.Error(o)
	}
}
