package sole_test

import (
	"os/exec"
	"strings"
	"testing"
)

// house is who may import whom, from the roof down. What is not listed is not allowed.
var house = map[string][]string{
	"cmd/sole":           {".", "instance", "internal/crontab", "internal/display", "internal/doctor", "internal/early", "internal/fixed", "internal/history", "internal/lockdir", "internal/metrics", "internal/name", "internal/proc", "internal/report", "internal/signals", "internal/supervise", "internal/usual"},
	"cmd/sole-top":       {".", "internal/display", "internal/history", "internal/lockdir", "internal/proc", "internal/recent", "internal/top"},
	"instance":           {".", "internal/control"},
	"examples/editor":    {"instance"},
	".":                  {"internal/control", "internal/early", "internal/flock", "internal/history", "internal/lockdir", "internal/locktable", "internal/name", "internal/pidfile", "internal/proc", "internal/queue", "internal/record", "internal/usual"},
	"internal/pidfile":   {"internal/flock", "internal/lockdir", "internal/proc"},
	"internal/supervise": {"internal/proc", "internal/signals"},
	"internal/early":     {"internal/fixed", "internal/history", "internal/lockdir", "internal/name", "internal/proc", "internal/record", "internal/signals", "internal/usual"},
	"internal/doctor":    {"internal/flock", "internal/lockdir", "internal/proc", "internal/record"},
	"internal/crontab":   {"internal/name"},
	"internal/history":   {"internal/fixed", "internal/lockdir", "internal/usual"},
	"internal/metrics":   {"internal/history", "internal/usual"},
	"internal/report":    {"internal/display", "internal/history", "internal/usual"},
	"internal/usual":     {"internal/fixed"},
	"internal/top":       {".", "internal/display", "internal/history", "internal/recent"},
	"internal/recent":    {"internal/history", "internal/lockdir", "internal/usual"},
	"internal/display":   {"internal/usual"},
	"internal/fixed":     {},
	"internal/record":    {"internal/fixed", "internal/proc", "internal/usual"},
	"internal/locktable": {"internal/proc"},
	"internal/queue":     {"internal/flock", "internal/proc"},
	"internal/control":   {"internal/flock"},
	"internal/flock":     {"internal/signals"},
	"internal/lockdir":   {},
	"internal/name":      {},
	"internal/proc":      {},
	"internal/signals":   {},
	"test/cli":           {".", "instance", "internal/early", "internal/history", "internal/lockdir", "internal/record"},
	"test/package":       {},
	"test/model":         {".", "internal/early"},
	"test/top":           {"internal/early", "internal/history", "internal/lockdir"},
	"test/torture":       {".", "internal/early", "internal/record", "internal/proc", "internal/flock", "internal/queue"},
}

const module = "github.com/sole-run/sole"

func TestHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults(string(out)) {
		t.Error(fault)
	}
}

// A check that cannot fail is none.
func TestHouseNoticesAnArrowUp(t *testing.T) {
	for _, list := range []string{
		module + "/internal/flock " + module + "\n",
		module + "/internal/proc " + module + "/internal/record\n",
		module + "/internal/new os\n",
	} {
		if len(faults(list)) != 1 {
			t.Errorf("not noticed: %s", list)
		}
	}
}

// faults finds the imports that house does not allow in the output of go list.
func faults(list string) []string {
	var found []string
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		from := room(f[0])
		allowed, known := house[from]
		if !known {
			found = append(found, from+" is not in the house")
			continue
		}
		for _, path := range f[1:] {
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue
			}
			if to := room(path); !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+to+" ") {
				found = append(found, from+" may not import "+to)
			}
		}
	}
	return found
}

func room(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
