package doctor

import (
	"io"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// roleEnv is what the test binary is to be instead of the tests.
const roleEnv = "DOCTOR_TEST_ROLE"

// A helper whose doctor was killed before it has looked who made its socket is a helper
// still. It once took itself for a doctor, and went on alone.
func TestOrphanIsAHelperStill(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	out, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), roleEnv+"=parent")
	c.Stdin, c.Stdout, c.Stderr = r, outW, os.Stderr
	err = c.Run()
	r.Close()
	outW.Close()
	if err != nil {
		t.Fatal(err)
	}
	w.Close() // the parent is gone: now it looks
	if said, err := io.ReadAll(out); string(said) != "true\n" {
		t.Errorf("it says %q, %v", said, err)
	}
}

// leaveOrphan starts a helper as a doctor does, and ends.
func leaveOrphan() {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), roleEnv+"=orphan", helperEnv+"="+itoa(os.Getpid()))
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{os.NewFile(uintptr(pair[1]), "socket")}
	if err := c.Start(); err != nil {
		panic(err)
	}
}
