package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/flock"
	"github.com/sole-run/sole/internal/record"
)

// A line may be torn anywhere, also where it looks whole, and others may write what they like.
func TestHistoryOfLinesThatOnlyBeginLikeRecords(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const begin = `{"name":"n","run":7,"started_at":"2026-11-24T02:00:01.123Z","ended_at":"2026-11-24T02:00:01.123Z","seconds":1.000,"outcome":"ok","exit_code":0,"signal":null,"user":"root","host":"vm","pid":1,"command":[`
	lines := []string{
		begin + `"sh","-c","f(){ :; }`, begin + `"]}`, begin + `"a","]}`, begin + `"a\"]}`, begin + `"[]}`, begin + `"a","\",\"command\":[]}`,
		begin + "\"\x1b[31m\"]}", begin + `rubbish"]}`,
		strings.ReplaceAll(begin, "2026-11-24", "9999-99-99") + `"x"]}`,
		`{"name":"n","run":8,"started_at":"2026-11-24T02:00:01Z","ended_at":"9999-12-31T23:59:59-10:00","seconds":1,"outcome":"ok"}`,
	}
	good := []string{begin + `"\\"]}`, begin + `"a,"]}`, begin + `]}`, begin + `"["]}`}
	must(t, os.WriteFile(filepath.Join(b.dir, "n.history"), []byte(strings.Join(append(lines, good...), "\n")+"\n"), 0o600))
	b.takes("n")
	if all := b.history("n"); len(all) != len(good)+1 {
		t.Errorf("%d records: %v", len(all), all)
	}
	if all := b.expect(0, "history", "-n", "6", "n"); strings.Count(all.stdout, "  ok  ") != len(good)+1 {
		t.Errorf("%s", all.stdout)
	}
	var stats []struct {
		Torn int `json:"torn_lines"`
	}
	must(t, json.Unmarshal([]byte(b.expect(0, "history", "--stats", "--json", "n").stdout), &stats))
	if stats[0].Torn < len(lines)-2 { // the two that are no JSON behind what is counted
		t.Errorf("%+v", stats)
	}
}

// A string of 128 KiB is more than the kernel passes on. Of a long command the variables have the beginning.
func TestNotifyOfALongCommand(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	long := strings.Repeat("é'", 30_000)
	o := b.expect(3, "run", "--notify", b.tell(), "n", "--", "sh", "-c", "exit 3", long, long, long)
	if o.stderr != "" {
		t.Errorf("%v", o)
	}
	f := b.told("failed")
	if got := f.env["SOLE_COMMAND"]; !strings.HasPrefix(got, "sh -c 'exit 3' 'é") || !strings.HasSuffix(got, "…") || len(got) > 17<<10 {
		t.Errorf("%d bytes: %.100q", len(got), got)
	}
	if all := f.json["command"].([]any); len(all) != 6 || all[5] != long {
		t.Errorf("%d words", len(all))
	}
}

// Whoever numbers its run in a seat may be stopped meanwhile. What ends then does not wait for it.
func TestSeatEndsWhileAnotherStartIsStopped(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	h := b.hold("--slots", "2", "n")
	f, err := os.OpenFile(b.lockFile("n"), os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	if got, err := flock.Mark(int(f.Fd()), record.NumberMark, flock.Exclusive); !got || err != nil {
		t.Fatal(got, err)
	}
	if o := h.release(); o.code != 0 || o.stderr != "" {
		t.Errorf("%v", o)
	}
	b.remembers("n", "1 ok 0")
}

// The facts may not be cut where the size of files is limited.
func TestNotifyWithLimitedFiles(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.warm("n")
	long := strings.Repeat("x", 9000)
	c := b.command("bash", "-c", `ulimit -f 4; exec "$@"`, "bash", b.bin, "run", "--notify", "wc -c >&2", "n", "--", "sh", "-c", "exit 3", long)
	o := b.finish(c)
	var n int
	if _, err := fmt.Sscan(o.stderr, &n); o.code != 3 || err != nil || n < len(long) {
		t.Errorf("%v", o)
	}
}

// Without close_range(2) too the notification has nothing of the name.
func TestNotifyWithoutCloseRange(t *testing.T) {
	need(t, "strace", "strace")
	t.Parallel()
	b := newBox(t)
	fifo := b.fifo("go")
	args := []string{"-f", "-qq", "-o", b.file("trace"), "-e", "trace=close_range", "-e", "inject=close_range:error=ENOSYS", "--",
		b.bin, "run", "--overrun", "0.01", "--notify", "ls -l /proc/self/fd /proc/$PPID/fd >&2; echo told >&2; cat " + fifo + " >/dev/null", "n", "--", "sh", "-c", holdScript}
	h := b.start(b.command("strace", args...))
	said := ""
	for !strings.HasSuffix(said, "told\n") {
		line, err := h.stderr.ReadString('\n')
		must(t, err)
		said += line
	}
	if strings.Contains(said, b.dir) {
		t.Error(said)
	}
	h.stdin.Close()
	b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
	must(t, os.WriteFile(fifo, nil, 0))
	h.wait()
}

func TestDirectoryDeletedDuringTheRun(t *testing.T) {
	bothWays(t, func(b *box) {
		o := b.expect(0, "run", "n", "--", "sh", "-c", `rm -rf "$SOLE_DIR"; echo ran`)
		mustContain(b, o.stderr, "sole: n: its history could not be written: ", ": no such file or directory\n")
		if o.stdout != "ran\n" || strings.Count(o.stderr, "\n") != 1 {
			b.Errorf("%v", o)
		}
	})
}
