package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// told is what a notification was given.
type told struct {
	env  map[string]string
	json map[string]any
}

// tell is a value for --notify that writes down what it is given, for [box.told].
func (b *box) tell() string {
	return `f=` + b.file("told") + `.$$; env -0 >$f.env; cat >$f.json; mv $f.env ` + b.file("told-") + `$SOLE_EVENT.env; mv $f.json ` + b.file("told-") + `$SOLE_EVENT.json`
}

// told waits for the notification of an event, and takes it away.
func (b *box) told(event string) told {
	b.Helper()
	path := b.file("told-" + event)
	b.eventually("notified of "+event, func() bool { _, err := os.Stat(path + ".json"); return err == nil })
	t := told{env: map[string]string{}, json: map[string]any{}}
	env, err := os.ReadFile(path + ".env")
	must(b, err)
	for _, v := range strings.Split(strings.TrimSuffix(string(env), "\x00"), "\x00") {
		key, value, _ := strings.Cut(v, "=")
		t.env[key] = value
	}
	data, err := os.ReadFile(path + ".json")
	must(b, err)
	if strings.Count(string(data), "\n") != 1 {
		b.Errorf("not one line: %s", data)
	}
	must(b, json.Unmarshal(data, &t.json))
	must(b, os.Remove(path+".json"))
	must(b, os.Remove(path+".env"))
	return t
}

// has fails unless the facts are these, in the environment and, if they are there, in JSON.
func (b *box) has(t told, want map[string]string) {
	b.Helper()
	for key, w := range want {
		if got := t.env["SOLE_"+key]; got != w {
			b.Errorf("SOLE_%s is %q, not %q", key, got, w)
		}
		if v, ok := t.json[strings.ToLower(key)]; ok {
			var got string
			switch v := v.(type) {
			case string:
				got = v
			case float64:
				got = strconv.FormatFloat(v, 'f', -1, 64)
			}
			if v != nil && key != "COMMAND" && got != w {
				b.Errorf("%s in JSON is %v, not %q", key, v, w)
			}
		}
	}
}

func (b *box) untold() {
	b.Helper()
	if files, _ := filepath.Glob(b.file("told*")); len(files) > 0 {
		b.Errorf("notified: %v", files)
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.env = append(b.env, "SOLE_SLOT=7", "SOLE_HELD=other", "SOLE_RUN=99")
	run := func(args ...string) []string { return append([]string{"run", "--notify", b.tell()}, args...) }

	b.expect(0, run("n", "--", "true")...)
	b.untold()

	b.expect(3, run("n", "--", "sh", "-c", "exit 3")...)
	f := b.told("failed")
	b.has(f, map[string]string{"NAME": "n", "RUN": "2", "OUTCOME": "failed", "EXIT_CODE": "3", "SIGNAL": "", "COMMAND": "sh -c 'exit 3'", "SKIPS_IN_ROW": "0",
		"USER": userName(b), "SLOT": "", "HELD": "", "DIR": b.dir})
	if _, err := time.Parse(time.RFC3339Nano, f.env["SOLE_STARTED_AT"]); err != nil {
		t.Error(err)
	}
	mustContain(t, f.env["SOLE_MESSAGE"], "n failed after ", " with exit code 3")

	if o := b.run(run("n", "--", "sh", "-c", "kill -USR1 $$")...); o.signal != syscall.SIGUSR1 {
		t.Errorf("%v", o)
	}
	b.has(b.told("failed"), map[string]string{"OUTCOME": "signaled", "EXIT_CODE": "", "SIGNAL": "SIGUSR1"})

	b.expect(127, run("n", "--", "no-such-program")...)
	b.has(b.told("failed"), map[string]string{"OUTCOME": "failed", "EXIT_CODE": "127"})

	b.expect(124, run("--max-time", "0.05", "n", "--", "sleep", "100")...)
	b.has(b.told("timeout"), map[string]string{"OUTCOME": "timeout", "SIGNAL": "SIGTERM", "MESSAGE": "n ran longer than 50ms and was ended"})

	h := b.start(b.sole(run("n", "--", "sh", "-c", holdScript)...))
	b.expect(75, "run", "n", "--", "true")
	o := b.expect(75, run("n", "--", "touch", b.file("witness"))...)
	skip := b.told("skipped")
	b.has(skip, map[string]string{"OUTCOME": "skipped", "RUN": "6", "SKIPS_IN_ROW": "2", "HOLDER_PID": strconv.Itoa(h.Process.Pid), "COMMAND": "touch " + b.file("witness")})
	if skip.env["SOLE_MESSAGE"] != strings.TrimSuffix(strings.TrimPrefix(o.stderr, "sole: "), "\n") {
		t.Errorf("%q is not %q", skip.env["SOLE_MESSAGE"], o.stderr)
	}
	b.env, b.dir = append(b.env, "SOLE_DIR=/nowhere"), b.file("elsewhere")
	b.expect(1, run("--dir", b.dir, "n", "--", "false")...)
	b.has(b.told("failed"), map[string]string{"DIR": b.dir})
	b.env, b.dir = b.env[:len(b.env)-1], b.file("names")
	if holder := skip.json["holder"].(map[string]any); holder["name"] != "n" || holder["run"] != 6.0 || holder["pid"] != float64(h.Process.Pid) {
		t.Errorf("%v", holder)
	}
	b.expect(75, run("-q", "n", "--", "true")...)
	b.told("skipped")
	b.expect(75, run("--alert-after", "9", "n", "--", "true")...)
	b.untold()

	b.expect(0, "run", "--replace", "n", "--", "true")
	h.wait()
	b.has(b.told("replaced"), map[string]string{"RUN": "6", "OUTCOME": "replaced", "SIGNAL": "SIGTERM"})
}

func TestNotifyOfALostName(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.start(b.sole("run", "--notify", b.tell(), "n", "--", "sh", "-c", holdScript))
	// A file that cannot be put back, since its directory is another one.
	must(t, os.Rename(b.dir, b.dir+".away"))
	must(t, os.WriteFile(b.dir, nil, 0o600))
	lost := b.told("lost")
	b.has(lost, map[string]string{"NAME": "n", "RUN": "1", "OUTCOME": ""})
	must(t, os.Remove(b.dir))
	must(t, os.Rename(b.dir+".away", b.dir))
	h.release()
	b.untold()
	b.remembers("n", "1 lost 0")
}

func TestOverrun(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for range 3 {
		b.expect(0, "run", "n", "--", "sleep", "0.05")
	}
	h := b.start(b.sole("run", "--notify", b.tell(), "n", "--", "sh", "-c", holdScript))
	o := b.told("overrun") // twice 50 ms
	if p95, err := strconv.ParseFloat(o.env["SOLE_P95_SECONDS"], 64); err != nil || p95 < 0.05 || p95 > 5 {
		t.Errorf("%v", o.env)
	}
	mustContain(t, o.env["SOLE_MESSAGE"], "n has run for ", ", usually ")
	b.has(o, map[string]string{"RUN": "4", "ENDED_AT": "", "OUTCOME": ""})
	h.release()
	b.untold()
	if said, _ := h.stderr.ReadString('\n'); said != "" {
		t.Errorf("said %q", said)
	}
	h = b.start(b.sole("run", "--overrun", "0.01", "m", "--", "sh", "-c", holdScript))
	if said, _ := h.stderr.ReadString('\n'); !strings.HasPrefix(said, "sole: m has run for ") {
		t.Errorf("said %q", said)
	}
	h.release()
}

// The name is free again, and others go on, while the notification is on its way; the exit code is
// the command's.
func TestNotifyBlocksNobody(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	fifo := b.fifo("go")
	l := b.launch(b.sole("run", "--notify", "echo told; cat "+fifo+" >/dev/null", "n", "--", "sh", "-c", "echo out; exit 5"))
	b.eventually("the notification runs", func() bool { return strings.Contains(l.said(l.errs), "told") })
	b.takes("n")
	must(t, os.WriteFile(fifo, nil, 0))
	if o := l.wait(); o.code != 5 || o.stdout != "out\n" {
		t.Errorf("%v", o)
	}
}

// During a run too the notification has nothing of the name: it is free when the run is killed.
func TestNotifyHoldsNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	fifo := b.fifo("go")
	h := b.start(b.sole("run", "--overrun", "0.01", "--notify", "ls -l /proc/self/fd >"+b.file("fds")+"; echo told >&2; cat "+fifo+" >/dev/null", "--until", "tree", "--kill-tree", "n", "--", "sh", "-c", holdScript))
	if said, _ := h.stderr.ReadString('\n'); !strings.HasPrefix(said, "sole: n has run for ") {
		t.Errorf("said %q", said)
	}
	if said, _ := h.stderr.ReadString('\n'); said != "told\n" {
		t.Errorf("said %q", said)
	}
	fds, err := os.ReadFile(b.file("fds"))
	if must(t, err); strings.Contains(string(fds), b.dir) {
		t.Errorf("%s", fds)
	}
	// It is no descendant that is waited for, or ended.
	h.stdin.Close()
	b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
	must(t, os.WriteFile(fifo, nil, 0))
	if o := h.wait(); o.code != 0 {
		t.Errorf("%v", o)
	}
}

func TestNotificationThatFails(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for cmd, want := range map[string]string{
		"exit 9":              "sole: n: the command of --notify failed for failed: exit code 9\n",
		"kill -KILL $$":       "sole: n: the command of --notify failed for failed: killed by SIGKILL\n",
		"no-such-program":     "sole: n: the command of --notify failed for failed: exit code 127\n",
		"exec 0<&- 1>&- 2>&-": "",
	} {
		o := b.expect(1, "run", "--notify", cmd, "n", "--", "false")
		if n := strings.Count(o.stderr, "sole: "); !strings.HasSuffix(o.stderr, want) || want != "" && n != 1 {
			t.Errorf("%s: %v", cmd, o)
		}
	}
	b.expect(64, "run", "--notify", "", "n", "--", "true")
	b.expect(64, "run", "--overrun", "-1", "n", "--", "true")
}

const notifyTime = 30 * time.Second // as cmd/sole has it

// It is ended after half a minute, with all that it has started.
func TestNotificationThatHangs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	begin := time.Now()
	l := b.launch(b.sole("run", "--notify", `trap "" TERM; sleep 1000 & echo $! >`+b.file("pid")+`; wait; sleep 1000`, "n", "--", "false"))
	b.eventually("the command has ended", func() bool { return b.run("status", "-q", "n").code == 3 })
	time.Sleep(notifyTime - time.Second) // patience is shorter
	o := l.wait()
	if took := time.Since(begin); o.code != 1 || took < notifyTime {
		t.Errorf("after %s: %v", took, o)
	}
	mustContain(t, o.stderr, "sole: n: the command of --notify took longer than 30s for failed, and is ended\n")
	pid, err := os.ReadFile(b.file("pid"))
	must(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	must(t, err)
	b.eventually("it has ended", func() bool { return !alive(n) })
}
