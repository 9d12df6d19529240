package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A start writes its record a moment before its mark. Who looks then must not take it for one that has ended.
func TestHistoryLookedAtDuringAStart(t *testing.T) {
	need(t, "strace", "strace")
	bothWays(t, func(b *box) {
		h := b.hold("n") // so that the record says held, as after a crash
		b.crashes(h)
		b.remembers("n", "1 ok 0", "2 crashed")
		// Between the record and the mark: strace delays the end of the first write of each thread.
		c := b.command("strace", "-f", "-qq", "-o", b.file("trace"), "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_exit=3000000:when=1",
			"--", b.bin, "run", "n", "--", "true")
		must(b, c.Start())
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		b.eventually("the record is written", func() bool {
			data, _ := os.ReadFile(b.lockFile("n"))
			return strings.Contains(string(data), "\nrun 3\n")
		})
		b.run("history", "n")
		b.run("history", "--stats", "n")
		b.run("clean")
		select {
		case <-ended:
			b.Fatal("the start was over before it was looked at")
		default:
		}
		must(b, <-ended)
		b.remembers("n", "1 ok 0", "2 crashed", "3 ok 0")
		if said := b.historySays(); strings.Count(said, `"run":3`) != 1 {
			b.Errorf("%s", said)
		}
	})
}

// Numbers begin anew when a lock file is deleted by hand; the history goes on.
func TestHistoryOfNumbersThatBeginAnew(t *testing.T) {
	bothWays(t, func(b *box) {
		b.takes("n")
		b.takes("n")
		must(b, os.Remove(filepath.Join(b.dir, "n.lock")))
		b.takes("n")
		h := b.hold("n") // run 2 again
		b.crashes(h)
		b.takes("n")
		b.remembers("n", "1 ok 0", "2 ok 0", "3 ok 0", "1 ok 0", "2 crashed", "3 ok 0")
		must(b, os.Remove(filepath.Join(b.dir, "n.lock")))
		b.takes("n")
		h = b.hold("n")
		b.crashes(h)
		b.remembers("n", "1 ok 0", "2 ok 0", "3 ok 0", "1 ok 0", "2 crashed", "3 ok 0", "1 ok 0", "2 crashed")
	})
}

// A seat may not be taken again for long, and clean removes its record.
func TestHistoryOfSeatsThatNobodyTakes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two := b.hold("--slots", "2", "n"), b.hold("--slots", "2", "n")
	b.crash(two)
	two.wait()
	b.remembers("n") // its command holds the slot
	must(t, two.stdin.Close())
	b.eventually("a slot is free", func() bool { return len(b.status("n").Others) == 0 })
	b.remembers("n", "2 crashed")
	one.release()
	for range 3 {
		b.remembers("n", "2 crashed", "1 ok 0")
	}
	b.expect(0, "run", "--slots", "1", "n", "--", "true")
	b.expect(0, "run", "n", "--", "true")
	b.remembers("n", "2 crashed", "1 ok 0", "3 ok 0", "4 ok 0")
	one, two = b.hold("--slots", "2", "n"), b.hold("--slots", "2", "n")
	one.release()
	b.crashes(two)
	b.expect(0, "clean")
	b.remembers("n", "2 crashed", "1 ok 0", "3 ok 0", "4 ok 0", "5 ok 0", "6 crashed")
}

// crashes kills the supervisor, and lets the command end then.
func (b *box) crashes(h *held) {
	b.Helper()
	b.crash(h)
	h.wait()
	must(b, h.stdin.Close())
	b.eventually("the name is free", func() bool { return b.run("status", "-q", "n").code == 3 })
}
