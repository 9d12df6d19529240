package doctor

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCronIsCompared(t *testing.T) {
	same := func(a, b string) bool { return a == b }
	const def = "/var/lib/sole"
	for _, c := range []struct {
		name, here, by, crontab string
		def                     string
		want                    Status
		words                   []string
	}{
		{"nothing set", def, "", "", def, OK, []string{"user database"}},
		{"set here only", "/srv/x", "SOLE_DIR", "# SOLE_DIR=/srv/x\nXSOLE_DIR=/srv/x\n", def, Warning, []string{"SOLE_DIR is set in this shell", def, "SOLE_DIR=/srv/x above"}},
		{"set to the default", def, "SOLE_DIR", "", def, OK, nil},
		{"set in both", "/srv/x", "SOLE_DIR", "MAILTO=me\n SOLE_DIR = \"/srv/x\" \n* * * * * sole run a -- b\n", def, OK, []string{"crontab -l"}},
		{"set in cron only", def, "", "SOLE_DIR='/srv/y'\n", def, Warning, []string{"/srv/y", "do not get"}},
		{"set to another", "/srv/x", "SOLE_DIR", "SOLE_DIR=/srv/y\n", def, Warning, []string{"/srv/y"}},
		{"set to both", "/srv/x", "SOLE_DIR", "SOLE_DIR=/srv/x\nSOLE_DIR=/srv/y\n", def, Warning, []string{"/srv/y"}},
		{"set to nothing", def, "", "SOLE_DIR=\n", def, OK, nil},
		{"by a flag", "/srv/x", "--dir", "", def, Warning, []string{"--dir in each line"}},
		{"by PATH", "/srv/x", "PATH", "", def, Warning, []string{"unless"}},
		{"no home", "/srv/x", "SOLE_DIR", "", "", Warning, []string{"no home"}},
	} {
		found := settingsIn(c.crontab, "crontab -l")
		expect(t, c.name, judgeCron(c.here, c.by, c.def, found, same), c.want, c.words...)
	}
	if found := settingsIn("export SOLE_DIR=/a\n", "f"); len(found) != 1 || found[0] != (setting{"/a", "f"}) {
		t.Errorf("%+v", found)
	}
	found := systemSettings(files("etc/environment", "SOLE_DIR=/a\n", "etc/crontab", "X=1\n", "etc/cron.d/job", "SOLE_DIR=/b\n"))
	if len(found) != 2 || found[1] != (setting{"/b", "/etc/cron.d/job"}) {
		t.Errorf("%+v", found)
	}
}

func TestNamespacesAreJudged(t *testing.T) {
	host := around{pids: initialPIDs, pids1: initialPIDs, mounts: "mnt:[1]", mounts1: "mnt:[1]", uidMap: wholeUIDMap, self: "7", pid: 7}
	change := func(f func(*around)) around {
		a := host
		f(&a)
		return a
	}
	for _, c := range []struct {
		name  string
		a     around
		want  Status
		words []string
	}{
		{"host", host, OK, nil},
		{"unprivileged on the host", change(func(a *around) { a.pids1, a.mounts1 = "", "" }), OK, nil},
		{"no /proc", change(func(a *around) { *a = around{pid: 7} }), Warning, []string{"mount /proc"}},
		{"container", change(func(a *around) { a.pids, a.pids1 = "pid:[2]", "pid:[2]" }), Warning, []string{"container"}},
		{"container with the host's pids", change(func(a *around) { a.mark = "/.dockerenv" }), Warning, []string{"container"}},
		{"another's /proc", change(func(a *around) { a.pids, a.self = "pid:[2]", "800" }), Failure, []string{"another process"}},
		{"another's /proc, same number", change(func(a *around) { a.pids = "pid:[2]" }), Failure, []string{"another process"}},
		{"nothing at /proc/self", change(func(a *around) { a.self = "" }), Failure, nil},
		{"user namespace", change(func(a *around) { a.uidMap = "0 1000 1" }), Warning, []string{"0 1000 1"}},
		{"other mounts", change(func(a *around) { a.mounts = "mnt:[2]" }), Warning, []string{"mounts"}},
	} {
		expect(t, c.name, judgeAround(c.a), c.want, c.words...)
	}
}

func TestClocksAreJudged(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	fine := clocks{boot: "b", again: "b", sinceBoot: time.Hour, monotonic: 50 * time.Minute, uptime: time.Hour, wall: now, built: now.Add(-time.Hour)}
	change := func(f func(*clocks)) clocks {
		c := fine
		f(&c)
		return c
	}
	for _, c := range []struct {
		name  string
		c     clocks
		want  Status
		words []string
	}{
		{"fine", fine, OK, nil},
		{"no /proc/uptime", change(func(c *clocks) { c.uptime = -1 }), OK, nil},
		{"no build time", change(func(c *clocks) { c.built = time.Time{} }), OK, nil},
		{"no boot id", change(func(c *clocks) { c.bootErr = errors.New("gone") }), Failure, []string{"gone", "/proc"}},
		{"another boot id each time", change(func(c *clocks) { c.again = "c" }), Failure, []string{"changes"}},
		{"time namespace", change(func(c *clocks) { c.offsets = "monotonic 86400 0 boottime 86400 0" }), Warning, []string{"86400"}},
		{"a container's uptime", change(func(c *clocks) { c.uptime = time.Minute }), Warning, []string{"container"}},
		{"boottime behind", change(func(c *clocks) { c.monotonic, c.uptime = 2*time.Hour, -1 }), Warning, []string{"behind"}},
		{"stepped", change(func(c *clocks) { c.stepped = -time.Minute }), Warning, []string{"stepped", "-1m"}},
		{"never set", change(func(c *clocks) { c.wall, c.built = time.Unix(5, 0).UTC(), time.Time{} }), Warning, []string{"1970"}},
		{"before it was built", change(func(c *clocks) { c.built = now.Add(48 * time.Hour) }), Warning, []string{"2026-03-04"}},
	} {
		expect(t, c.name, judgeClocks(c.c), c.want, c.words...)
	}
}

func TestLimitsAndRoomAreJudged(t *testing.T) {
	const much = unix.RLIM_INFINITY
	expect(t, "no limits", judgeLimits(much, much), OK, "unlimited")
	expect(t, "no files", judgeLimits(much, 0), Failure, "ulimit -f")
	expect(t, "not a record", judgeLimits(much, 2559), Failure, "2559", "2560")
	expect(t, "a record, no more", judgeLimits(much, 2560), Warning, "share")
	expect(t, "few descriptors", judgeLimits(20, much), Warning, "20")

	expect(t, "room", roomLeft(&unix.Statfs_t{Blocks: 9, Bavail: 1 << 20, Frsize: 4096, Files: 1000, Ffree: 900}), OK)
	expect(t, "uncounted", roomLeft(&unix.Statfs_t{}), OK)
	expect(t, "little room", roomLeft(&unix.Statfs_t{Blocks: 9, Bavail: 3, Frsize: 4096, Files: 1000, Ffree: 900}), Warning, "12 KiB")
	expect(t, "few files", roomLeft(&unix.Statfs_t{Blocks: 9, Bavail: 1 << 20, Frsize: 4096, Files: 1000, Ffree: 9}), Warning, "9 files")
}
