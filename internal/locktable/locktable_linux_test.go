package locktable

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	table := parse([]byte(`1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF
1: -> FLOCK  ADVISORY  WRITE 813 fe:00:1234 0 EOF
2: POSIX  ADVISORY  WRITE 9 fe:00:77 0 EOF
3: OFDLCK ADVISORY  READ -1 fe:00:1234 0 0
nonsense
4: FLOCK  ADVISORY  READ x fe:00:1 0 EOF
`))
	e := table[Key{0xfe, 0, 1234}]
	if len(table) != 1 || e == nil || !slices.Equal(e.Holders, []int{812}) || !slices.Equal(e.Waiters, []int{813}) {
		t.Errorf("%+v %+v", table, e)
	}
}

func TestKernelsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	k, loose := KeyOf(st.Dev, st.Ino), Loose(int(f.Fd()))
	self := os.Getpid()
	if slices.Contains(Holders(k, loose), self) {
		t.Error("holds what is not locked")
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	table, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	if e := table.On(k, loose); e == nil || !slices.Contains(e.Holders, self) {
		t.Errorf("/proc/locks: %+v", e)
	}
	if !slices.Contains(Holders(k, loose), self) {
		t.Error("fdinfo does not show it")
	}
	if HoldsDeleted(self, path) {
		t.Error("deleted before it was")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !HoldsDeleted(self, path) {
		t.Error("the deleted file's lock is not seen")
	}
}

// Locks by fcntl(2), of an open file and of a process, have holders too.
func TestRangeHolders(t *testing.T) {
	self := os.Getpid()
	for _, command := range []int{unix.F_OFD_SETLK, unix.F_SETLK} {
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		k, loose := KeyOf(st.Dev, st.Ino), Loose(int(f.Fd()))
		if len(RangeHolders(k, loose)) != 0 {
			t.Error("holds what is not locked")
		}
		if err := unix.FcntlFlock(f.Fd(), command, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
			t.Fatal(err)
		}
		if got := RangeHolders(k, loose); !slices.Equal(got, []int{self}) {
			t.Errorf("holders: %v", got)
		}
		if len(Holders(k, loose)) != 0 {
			t.Error("taken for a lock by flock(2)")
		}
	}
}
