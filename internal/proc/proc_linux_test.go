package proc

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// child starts a process that lives until it is told to end.
func child(t *testing.T) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = in.Close()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(end)
	return cmd.Process.Pid, end
}

func TestAliveUntilTheEnd(t *testing.T) {
	pid, end := child(t)
	byInode, err := Of(pid)
	if err != nil {
		t.Fatal(err)
	}
	started, err := byStart(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{byInode, started} {
		if alive, err := id.Alive(); !alive || err != nil {
			t.Errorf("%+v: alive %v, %v", id, alive, err)
		}
		for _, other := range []ID{
			{PID: id.PID, Inode: id.Inode + 1, Start: id.Start + 1},
			{PID: id.PID},
			{},
		} {
			if id.Inode != 0 {
				other.Start = 0
			} else {
				other.Inode = 0
			}
			if alive, _ := other.Alive(); alive {
				t.Errorf("%+v is taken for %+v", id, other)
			}
		}
	}
	end()
	for _, id := range []ID{byInode, started} {
		if alive, err := id.Alive(); alive || err != nil {
			t.Errorf("ended, %+v: alive %v, %v", id, alive, err)
		}
	}
	if _, err := Of(pid); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

// A process that has ended holds nothing, even before its parent has waited for it.
func TestZombieIsGone(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id, err := Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if alive, err := id.Alive(); alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
	_ = cmd.Wait()
}

// The number of a thread is no process's pid: a pid that was recycled for one is stale.
func TestThreadIsNoProcess(t *testing.T) {
	tids, done := make(chan int), make(chan struct{})
	defer close(done)
	tid := os.Getpid()
	for tid == os.Getpid() { // each takes a thread, and one of them may be the first
		go func() {
			runtime.LockOSThread()
			tids <- unix.Gettid()
			<-done
		}()
		tid = <-tids
	}
	if _, err := Of(tid); !errors.Is(err, ErrGone) {
		t.Errorf("of: %v", err)
	}
	if alive, err := (ID{PID: tid, Inode: 5}).Alive(); alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
	if Exists(tid) {
		t.Error("it exists")
	}
}

func TestExists(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]bool{1: true, os.Getpid(): true, cmd.Process.Pid: false, 0: false, -1: false, 1 << 22: false} {
		if Exists(pid) != want {
			t.Errorf("%d: %v", pid, !want)
		}
	}
	_ = cmd.Wait()
}

func TestAnotherUsersProcessIsAlive(t *testing.T) {
	id, err := Of(1)
	if err != nil {
		t.Fatal(err)
	}
	if alive, err := id.Alive(); !alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
}

func TestSignalHitsOnlyThatProcess(t *testing.T) {
	pid, _ := child(t)
	id, _ := Of(pid)
	wrong := id
	if wrong.Inode != 0 {
		wrong.Inode++
	} else {
		wrong.Start++
	}
	if _, err := wrong.Open(); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
	h, err := id.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Signal(0); err != nil {
		t.Fatal(err)
	}
}

func TestDescendantsAndAncestors(t *testing.T) {
	pid, _ := child(t)
	all, err := Descendants(os.Getpid(), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, st := range all {
		found = found || st.PID == pid
	}
	if !found {
		t.Errorf("%d is not among %v", pid, all)
	}
	if up := Ancestors(pid); len(up) == 0 || up[0] != os.Getpid() {
		t.Errorf("ancestors of the child: %v", up)
	}
}

func TestStatOfACommandWithParentheses(t *testing.T) {
	st, err := parseStat(7, []byte("7 (a) S 9) (b) R 5 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 998877 1 2"))
	if err != nil || st.Parent != 5 || st.Start != 998877 || st.State != 'R' {
		t.Errorf("%+v, %v", st, err)
	}
	for _, bad := range []string{"", "7 (a", "7 (a) R", "7 (a) R x 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 998877"} {
		if _, err := parseStat(7, []byte(bad)); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
