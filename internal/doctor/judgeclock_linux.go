package doctor

import "time"

// Further apart than this is odd.
const (
	clockSlack  = 2 * time.Second
	stepAtLeast = 200 * time.Millisecond
)

// early is a wall clock that was never set: sole did not exist then.
const early = 2020

func judgeClocks(c clocks) Result {
	const setClock = "set the clock, by NTP for example; what is held does not depend on it, what ls and history tell does"
	switch {
	case c.bootErr != nil:
		return fail(System, "mount /proc, and let /proc/sys/kernel/random/boot_id be read",
			"the boot id cannot be read, without which a start is refused: %v", c.bootErr)
	case c.boot != c.again:
		return fail(System, "find out what makes it up: it has to be the same until the host restarts",
			"the boot id changes each time it is read, so each holder looks like one from before a restart")
	case c.offsets != "":
		return warn("let all who share the directory have the same time namespace",
			"in a time namespace of its own (%s): waiters of others are ordered by another clock", c.offsets)
	case c.sinceBoot < 0 || c.monotonic < 0 || c.sinceBoot+clockSlack < c.monotonic:
		return warn("", "CLOCK_BOOTTIME (%s) is behind CLOCK_MONOTONIC (%s)", c.sinceBoot, c.monotonic)
	case c.uptime >= 0 && (c.uptime-c.sinceBoot).Abs() > clockSlack:
		return warn("", "/proc/uptime says %s and CLOCK_BOOTTIME %s: one of them is a container's", c.uptime.Round(time.Second), c.sinceBoot.Round(time.Second))
	case c.stepped.Abs() > stepAtLeast:
		return warn(setClock, "the wall clock was stepped by %s just now", c.stepped.Round(time.Millisecond))
	case c.wall.Year() < early || c.wall.Before(c.built.Add(-24*time.Hour)):
		return warn(setClock, "the wall clock says %s, which is past", c.wall.Format(time.DateOnly))
	}
	return ok("the boot id is there and stays, and the clocks agree")
}
