package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// waits are the examples of which a second one waits instead of leaving.
var waits = map[string]bool{"lock-part.sh": true}

// Of each example script one runs, and the next one runs after it.
func TestExampleScripts(t *testing.T) {
	t.Parallel()
	all, err := filepath.Glob("../../examples/sh/*.sh")
	must(t, err)
	python, err := filepath.Glob("../../examples/python/shebang.py")
	must(t, err)
	if all = append(all, python...); len(all) < 5 {
		t.Fatalf("there are only %q", all)
	}
	for _, file := range all {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if filepath.Ext(file) == ".py" {
				need(t, "python3", "python3")
			}
			b := scriptBox(t, -1)
			path, err := filepath.Abs(file)
			must(t, err)
			start := func() *exec.Cmd { return b.command(path) }
			h := b.start(start())
			if waits[filepath.Base(file)] {
				w := start()
				var out bytes.Buffer
				w.Stdout = &out
				must(t, w.Start())
				b.eventually("the second one waits", func() bool {
					kid := childOf(w.Process.Pid) // the subshell of the part
					return kid != 0 && childOf(kid) != 0 && procState(childOf(kid)) == 'S'
				})
				if o := h.release(); o.code != 0 {
					t.Error(o)
				}
				if err := w.Wait(); err != nil || out.String() != fmt.Sprintf("up %d\nthe rest\n", w.Process.Pid) {
					t.Errorf("%v, %q", err, &out)
				}
				return
			}
			if o := b.finish(start()); o.code != 75 || o.stdout != "" {
				t.Errorf("a second one: %v", o)
			}
			if o := h.release(); o.code != 0 {
				t.Error(o)
			}
			b.start(start()).release()
		})
	}
	if st, err := os.Stat(all[0]); err != nil || st.Mode()&0o111 == 0 {
		t.Errorf("%v, %v", st, err)
	}
}
