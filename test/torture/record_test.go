//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/record"
)

func bootID(s string) (b proc.BootID) {
	copy(b[:], s)
	return b
}

// lockFile is a lock file's content.
func lockFile(limit uint64, r record.Record, s record.State) []byte {
	return r.Encode(record.EncodeHeader(record.Header{Limit: limit}), s)
}

func TestRunNumbersAcrossBoots(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "n.lock")
	boots := []string{"11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"}
	limit := uint64(1000)
	for i := range 10 {
		state := []record.State{record.Free, record.Held}[i%2]
		rec := record.Record{Run: limit - 9, Started: time.Now(), SkipsFrom: record.End, Method: "flock",
			Place: proc.Place{Boot: bootID(boots[i%2]), PIDs: 1}, Holder: proc.ID{PID: os.Getpid(), Inode: 5}}
		write(t, path, lockFile(limit, rec, state))
		if st := status(t, dir, "n"); st.State != sole.Free {
			t.Errorf("a record of another boot holds: %+v", st)
		}
		if run := verify(t, dir, "n"); run != limit+1 {
			t.Errorf("after another boot with limit %d: run %d", limit, run)
		}
		if run := verify(t, dir, "n"); run != limit+2 {
			t.Errorf("the one after, with limit %d: run %d", limit, run)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, err := record.DecodeHeader(b)
		if err != nil || head.Limit < limit+2 {
			t.Fatalf("the limit is %d after run %d: %v", head.Limit, limit+2, err)
		}
		limit = head.Limit
	}
}

func TestDamagedRecordGoesOnBehindLimit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "n.lock")
	last := verify(t, dir, "n")
	rng := rand.New(rand.NewPCG(1, 2))
	n := repeat(t, 100, 2000, func(i int) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, err := record.DecodeHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		at := record.HeaderSize + rng.IntN(record.Size)
		switch i % 4 {
		case 0:
			b[at] ^= byte(1 + rng.IntN(255))
		case 1:
			b = b[:at] // cut short
		case 2:
			clear(b[at:]) // a hole
		case 3:
			for j := range b[record.HeaderSize:] {
				b[record.HeaderSize+j] = byte(rng.Uint32())
			}
		}
		_, _, damaged := record.Decode(b[record.HeaderSize:])
		write(t, path, b)
		run := verify(t, dir, "n")
		if run <= last || damaged != nil && run != head.Limit+1 {
			t.Errorf("damage %d at %d: run %d after run %d, limit %d (%v)", i%4, at, run, last, head.Limit, damaged)
		}
		last = run
	})
	t.Logf("%d damages, last run %d", n, last)
}

func TestDamagedFileGoesOnBehindFloor(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".floor"), fmt.Appendf(nil, "sole-floor 1\nfloor %019d\n", 5000))
	for i, b := range garbage() {
		name := fmt.Sprintf("g%d", i)
		path := filepath.Join(dir, name+".lock")
		write(t, path, b)
		_, headErr := record.DecodeHeader(b)
		_, _, recErr := record.Decode(b[min(len(b), record.HeaderSize):])
		if headErr == nil || recErr == nil || headErr == record.ErrNewer || recErr == record.ErrNewer {
			continue
		}
		if run := verify(t, dir, name); run != 5001 {
			t.Errorf("garbage %d: run %d behind the floor 5000", i, run)
		}
	}
	write(t, filepath.Join(dir, ".floor"), []byte("sole-floor 1\nfloor x\n"))
	write(t, filepath.Join(dir, "h.lock"), []byte("garbage"))
	if r := runSole(t, dir, "run", "h", "--", "/bin/sh", "-c", "echo ran"); r.code == 0 || r.stdout != "" {
		t.Errorf("a run behind a damaged floor: exit %d %q", r.code, r.stdout)
	}
}

// garbage is what may be found in a lock file.
func garbage() [][]byte {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	good := lockFile(70, record.Record{Run: 60, Started: time.Now(), SkipsFrom: record.End, Method: "flock",
		Place: proc.Place{Boot: bootID("33333333-3333-3333-3333-333333333333")}}, record.Held)
	all := [][]byte{
		nil, {0}, []byte("812\n"), []byte("\n"), random(1), random(511), random(512), random(2560), random(9999),
		make([]byte, 512), make([]byte, 2560), make([]byte, 1<<20), []byte(strings.Repeat(" ", 2560)),
		good[:700], good[512:], append(make([]byte, 512), random(2048)...),
		[]byte("sole-lock 2\n"), []byte(strings.Replace(string(good), "sole-record 1", "sole-record 2", 1)),
		[]byte(strings.Replace(string(good), "sole-lock 1", "sole-lock 9", 1)),
		lockFile(1<<63-1, record.Record{Run: 1<<63 - 1, Method: "flock"}, record.Free),
		lockFile(0, record.Record{Run: 0, SkipsFrom: 1 << 62, Method: "flock"}, record.Held),
		good, []byte(strings.Replace(string(good), " held ", " hold ", 1)),
	}
	return all
}

// TestGarbageNeverMakesTwo scribbles on a lock file before and while it is held.
func TestGarbageNeverMakesTwo(t *testing.T) {
	dir := t.TempDir()
	refused, held, missed := 0, 0, 0
	for i, before := range garbage() {
		name := fmt.Sprintf("n%d", i)
		path := filepath.Join(dir, name+".lock")
		write(t, path, before)
		lock, err := sole.TryAcquire(name, sole.Dir(dir))
		if err != nil {
			refused++
			if r := runSole(t, dir, "run", name, "--", "/bin/sh", "-c", "echo ran"); r.code == 0 || r.stdout != "" {
				t.Errorf("garbage %d: refused by the library (%v), and run by the command: %q", i, err, r.stdout)
			}
			continue
		}
		held++
		for j, during := range append(garbage(), nil) {
			fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if j%2 == 0 {
				_ = unix.Ftruncate(fd, 0)
			}
			_, _ = unix.Pwrite(fd, during, 0)
			unix.Close(fd)
			if !full() && (i+5*j)%47 != 0 {
				continue
			}
			r := runSole(t, dir, "run", name, "--", "/bin/sh", "-c", "echo ran")
			if r.code != 75 || r.stdout != "" {
				t.Errorf("garbage %d, and %d while it is held: a second start exits with %d %s, %q, %q", i, j, r.code, r.signal, r.stdout, r.stderr)
			}
			// One look may be wrong, see TestStatusOfForeignLockUnderChurn.
			for look := 1; status(t, dir, name).State != sole.Held; look++ {
				missed++
				if look == 3 {
					t.Errorf("garbage %d, and %d while it is held: status says free", i, j)
					break
				}
			}
		}
		if err := lock.Release(); err != nil {
			t.Errorf("garbage %d: release: %v", i, err)
		}
		if st := status(t, dir, name); st.State != sole.Free {
			t.Errorf("garbage %d: released: %+v", i, st)
		}
	}
	t.Logf("%d files of garbage held, %d refused; %d looks said free of a held name", held, refused, missed)
}
