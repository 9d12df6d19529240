package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sole-run/sole"
)

const (
	listNames = 10000
	listHeld  = 1000
)

// holdNames makes names, keeps some, says so, and leaves when its input ends.
func holdNames(dir, names, held string) error {
	n, err := strconv.Atoi(names)
	if err != nil {
		return err
	}
	keep, err := strconv.Atoi(held)
	if err != nil {
		return err
	}
	if err := makeNames(dir, n); err != nil {
		return err
	}
	var locks []*sole.Lock
	for i := range keep {
		// Spread over the whole, as they would be.
		l, err := sole.TryAcquire(listName(i*n/keep), sole.Dir(dir))
		if err != nil {
			return err
		}
		locks = append(locks, l)
	}
	if _, err := fmt.Println(len(locks)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	for _, l := range locks {
		_ = l.Release()
	}
	return err
}

func listName(i int) string { return fmt.Sprintf("job-%05d", i) }

// makeNames makes n names that ran once. All but the first are copies of its file: the
// first start of a name looks through /proc, which 10,000 times takes most of a minute.
func makeNames(dir string, n int) error {
	first, err := sole.TryAcquire(listName(0), sole.Dir(dir))
	if err != nil {
		return err
	}
	if err := first.Release(); err != nil {
		return err
	}
	data, err := os.ReadFile(first.Path())
	if err != nil {
		return err
	}
	for i := 1; i < n; i++ {
		path, err := sole.Path(listName(i), sole.Dir(dir))
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) listRow(d time.Duration) error {
	dir := filepath.Join(b.disk, "list")
	cmd := exec.Command(b.self, helperWord, "hold", dir, strconv.Itoa(listNames), strconv.Itoa(listHeld))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() }
	b.undo.add(stop)
	defer stop()
	var held int
	if _, err := fmt.Fscan(out, &held); err != nil || held != listHeld {
		return fmt.Errorf("%d names are held, not %d: %v", held, listHeld, err)
	}
	sp, err := b.newSpawner(dir)
	if err != nil {
		return err
	}
	sides := []*side{sp.side("sole ls", 0, b.sole, "ls"), sp.side("sole ls --json", 0, b.sole, "ls", "--json")}
	if err := contest(d, 5, sides); err != nil {
		return err
	}
	r := row{name: "sole ls, 10000 names, 1000 held", figure: 7, ours: sides[0].got, limit: 200 * time.Millisecond}
	if path := b.peers["lslocks"]; path != "" {
		took, late := once(sp, path, min(10*time.Second, b.total/4))
		r.peerName, r.peer = "lslocks, once", sample{took}
		if late {
			r.note = "lslocks was ended before it was done"
		}
	}
	b.table.limit(r)
	b.table.limit(row{name: "  same, --json", ours: sides[1].got})
	return nil
}

// once runs a program a single time, and ends it when it takes too long.
func once(sp *spawner, path string, limit time.Duration) (took time.Duration, late bool) {
	begin := time.Now()
	pid, err := sp.start([]string{path})
	if err != nil {
		return 0, false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return 0, false
	}
	t := time.AfterFunc(limit, func() { _ = p.Kill() })
	st, err := p.Wait()
	t.Stop()
	return time.Since(begin), err != nil || st.ExitCode() < 0
}
