//go:build linux

package cli

import (
	"os"
	"strconv"
	"strings"
)

// past gives backup two good runs, a bad one and a skip, and a torn line.
func (k *kitchen) past() {
	k.Helper()
	need(k.T, "jq", "jq")
	k.takes("backup")
	k.takes("backup")
	k.expect(3, "run", "backup", "--", "sh", "-c", "exit 3")
	h := k.holdName("backup")
	k.skips("backup")
	h.release()
	f, err := os.OpenFile(k.dir+"/backup.history", os.O_APPEND|os.O_WRONLY, 0)
	must(k, err)
	_, err = f.WriteString(`{"name":"backup","ru`)
	must(k, err)
	must(k, f.Close())
}

var historyRecipes = map[string]func(k *kitchen){
	"jq-slow": func(k *kitchen) {
		k.past()
		if lines := strings.Count(k.cook(0, "jq-slow").stdout, "\n"); lines != 3 {
			k.Errorf("%d lines", lines)
		}
	},
	"jq-night": func(k *kitchen) {
		k.past()
		out := k.cook(0, "jq-night").stdout
		mustContain(k, out, "\tbackup\tfailed\t3\n", "\tbackup\tskipped\t-\n")
		if strings.Count(out, "\n") != 2 {
			k.Errorf("%q", out)
		}
	},
	"jq-days": func(k *kitchen) {
		k.past()
		mustContain(k, k.cook(0, "jq-days").stdout, " runs, ", " skips, ", " h\n")
	},
	"jq-files": func(k *kitchen) {
		k.past()
		out := k.cook(0, "jq-files").stdout
		mustContain(k, out, `["backup","`)
		if strings.Count(out, "\n") != 1 {
			k.Errorf("%q", out)
		}
	},
	"jq-age": func(k *kitchen) {
		k.past()
		out := strings.TrimSpace(k.cook(0, "jq-age").stdout)
		if n, err := strconv.Atoi(out); err != nil || n < 0 || n > 60 {
			k.Errorf("%q", out)
		}
	},
}
