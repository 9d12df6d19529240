package pidfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/proc"
)

const starters, rounds = 8, 300

// race is a starter: at each line on standard input it tries to get the file, says how that
// went, and gives it up at the next line.
func race(path string) {
	raceWith(func() (any, error) { return Take(path, Lock{}) })
}

func raceWith(take func() (any, error)) {
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("up")
	for in.Scan() {
		got, err := take()
		var busy *BusyError
		switch {
		case err == nil:
			fmt.Println("owner")
		case errors.As(err, &busy):
			fmt.Println("busy")
		default:
			fmt.Println(err)
		}
		in.Scan()
		if f, ok := got.(*File); ok && f != nil {
			if err := f.Remove(); err != nil {
				fmt.Println(err)
			}
		}
		fmt.Println("over")
	}
}

// naive is how pid files are often done: look, remove what is stale, make one's own.
func naive(path string) (any, error) {
	for {
		b, err := os.ReadFile(path)
		if err == nil {
			pid := 0
			_, _ = fmt.Sscan(string(b), &pid)
			if pid == 0 {
				continue // it is being written
			}
			if proc.Exists(pid) {
				return nil, &BusyError{Path: path, PID: pid}
			}
			_ = os.Remove(path)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err == nil {
			_, err = fmt.Fprintln(f, os.Getpid())
			_ = f.Close()
		}
		return nil, err
	}
}

// doubles runs the rounds, and counts those with more than one owner, and those with none.
func doubles(t *testing.T, mode string, rounds int, stale func(path string)) (double, none int) {
	path := inMemory(t) + "/x.pid"
	var in [starters]io.Writer
	var out [starters]*bufio.Reader
	for i := range starters {
		c := helper(t, mode, path)
		w, err := c.StdinPipe()
		must(t, err)
		r, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		t.Cleanup(func() { _ = w.Close(); _ = c.Wait() })
		in[i], out[i] = w, bufio.NewReader(r)
	}
	each := func(tell string) (all []string) {
		for i := range starters {
			if tell != "" {
				_, err := io.WriteString(in[i], tell)
				must(t, err)
			}
		}
		for i := range starters {
			line, err := out[i].ReadString('\n')
			must(t, err)
			all = append(all, strings.TrimSpace(line))
		}
		return all
	}
	each("")
	for range rounds {
		stale(path)
		owners := 0
		for _, word := range each("go\n") {
			switch word {
			case "owner":
				owners++
			case "busy":
			default:
				t.Fatal(word)
			}
		}
		if owners > 1 {
			double++
		}
		if owners == 0 {
			none++
		}
		for _, word := range each("over\n") {
			if word != "over" {
				t.Fatal(word)
			}
		}
	}
	return double, none
}

// inMemory is a directory where nobody waits for a disk.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "sole-pidfile-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// nobody is a pid that the kernel gives to no process for a long time: the last there can be
// (pid_max in proc_sys_kernel(5)). That of a process that has just ended may be another's in a moment.
const nobody = 1<<22 - 1

// stales makes a stale file for each round: of another program, and of an owner that was killed.
func stales(t *testing.T) func(path string) {
	round := 0
	return func(path string) {
		if round++; round%2 == 0 {
			must(t, os.WriteFile(path, []byte(fmt.Sprintln(nobody)), 0o644))
			return
		}
		c := exec.Command("/proc/self/exe", path)
		c.Env = append(os.Environ(), helperEnv+"=leave")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s, %v", out, err)
		}
	}
}

// Of eight that start over one stale file, one gets it.
func TestStartersOverAStaleFile(t *testing.T) {
	if double, none := doubles(t, "race", rounds, stales(t)); double+none > 0 {
		t.Errorf("of %d rounds, %d had two owners, and %d none", rounds, double, none)
	}
}

// The same with the usual way: the harness can see two.
func TestStartersOverAStaleFileControl(t *testing.T) {
	for tried := rounds; tried <= 40*rounds; tried += rounds {
		double, _ := doubles(t, "race-naive", rounds, func(path string) {
			must(t, os.WriteFile(path, []byte(fmt.Sprintln(nobody)), 0o644))
		})
		if double > 0 {
			t.Logf("the last %d of %d rounds had two owners %d times", rounds, tried, double)
			return
		}
	}
	t.Error("no round had two owners")
}
