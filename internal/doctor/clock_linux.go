package doctor

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sole-run/sole/internal/proc"
)

// clocks is what the clocks said.
type clocks struct {
	boot, again     string // the boot id, read twice
	bootErr         error
	sinceBoot       time.Duration // CLOCK_BOOTTIME
	monotonic       time.Duration
	uptime          time.Duration // /proc/uptime, -1 if it cannot be read
	offsets         string        // of the time namespace, "" for none
	wall, built     time.Time
	stepped         time.Duration // how far the wall clock went by itself
	notSynchronised bool
}

// lookAtSteps is how long the wall clock is watched.
const lookAtSteps = 20 * time.Millisecond

// checkClock looks at what sole relies on: the boot id, CLOCK_BOOTTIME, and for people
// the wall clock.
func checkClock(Place) Result {
	var c clocks
	c.boot, c.bootErr = bootID()
	drift := driftNow()
	c.sinceBoot, c.monotonic, c.uptime = clock(unix.CLOCK_BOOTTIME), clock(unix.CLOCK_MONOTONIC), uptime()
	c.offsets = timeOffsets()
	time.Sleep(lookAtSteps) // the clock is to be seen going
	c.stepped = driftNow() - drift
	c.wall, c.built = time.Now(), builtAt()
	c.again, _ = bootID()
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	c.notSynchronised = err == nil && state == unix.TIME_ERROR
	return judgeClocks(c).with("boot_id", c.boot).with("since_boot", c.sinceBoot.Round(time.Millisecond).String()).
		with("wall_clock", c.wall.Format(time.RFC3339)).with("synchronised", strconv.FormatBool(!c.notSynchronised)).
		with("time_namespace_offsets", c.offsets)
}

func bootID() (string, error) {
	const file = "/proc/sys/kernel/random/boot_id"
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(b))
	if len(id) != len(proc.BootID{}) {
		return id, fmt.Errorf("%s has %d characters", file, len(id))
	}
	return id, nil
}

// driftNow is the difference of the wall clock and the time since boot, which only a
// step changes much.
func driftNow() time.Duration {
	for {
		before := clock(unix.CLOCK_BOOTTIME)
		wall := time.Duration(time.Now().UnixNano())
		// Unless this thread had to wait in between.
		if clock(unix.CLOCK_BOOTTIME)-before < time.Millisecond {
			return wall - before
		}
	}
}

func clock(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return -1
	}
	return time.Duration(t.Nano())
}

func uptime() time.Duration {
	b, _ := os.ReadFile("/proc/uptime")
	seconds, _, _ := strings.Cut(string(b), " ")
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return -1
	}
	return time.Duration(f * float64(time.Second))
}

// timeOffsets are those of the time namespace (time_namespaces(7)), "" if they are 0.
func timeOffsets() string {
	b, _ := os.ReadFile("/proc/self/timens_offsets")
	f := strings.Fields(string(b))
	for i := 0; i+2 < len(f); i += 3 {
		if f[i+1] != "0" || f[i+2] != "0" {
			return strings.Join(f, " ")
		}
	}
	return ""
}

// builtAt is the time of the commit that the program was built from.
func builtAt() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				t, _ := time.Parse(time.RFC3339, s.Value)
				return t
			}
		}
	}
	return time.Time{}
}
