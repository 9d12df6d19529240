package control

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func exitGoroutine() { runtime.Goexit() }

func itoa(n int) string { return strconv.Itoa(n) }

// resident is how much memory a process has, in kB.
func resident(t *testing.T, pid int) int {
	b, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	must(t, err)
	return kb
}
