package doctor

import (
	"testing"
	"testing/fstest"
)

func files(pairs ...string) fstest.MapFS {
	root := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		root[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return root
}

func TestTmpfilesRules(t *testing.T) {
	const (
		etc = "etc/tmpfiles.d/"
		run = "run/tmpfiles.d/"
		usr = "usr/lib/tmpfiles.d/"
	)
	for _, c := range []struct {
		name, dir string
		root      fstest.MapFS
		want      Status
		words     []string
	}{
		{"no rules", "/var/lib/sole", files(), OK, nil},
		{"aged", "/var/tmp/locks", files(usr+"tmp.conf", "q /var/tmp 1777 root root 30d\n"), Warning, []string{"30d", "/usr/lib/tmpfiles.d/tmp.conf", "/var/tmp"}},
		{"the directory itself", "/srv/locks", files(usr+"a.conf", "d /srv/locks 0700 root root 10d -"), Warning, []string{"10d"}},
		{"a comment", "/srv/locks", files(usr+"a.conf", "#d /srv/locks 0700 root root 10d -\n\n"), OK, nil},
		{"no age", "/srv/locks", files(usr+"a.conf", "d /srv/locks 0700 root root -\n"), OK, nil},
		{"age 0", "/srv/locks", files(usr+"a.conf", "e /srv - - - 0\n"), Warning, []string{"for 0"}},
		{"modifiers", "/srv/locks", files(usr+"a.conf", "d!+ /srv 0700 root root bmA:~12h\n"), Warning, []string{"12h"}},
		{"quotes", "/srv/my locks", files(usr+"a.conf", `d "/srv/my locks" 0700 root root 1w`), Warning, []string{"1w"}},
		{"escape", "/srv/my locks", files(usr+"a.conf", `d /srv/my\ locks 0700 root root 1w`), Warning, []string{"1w"}},
		{"not a prefix of the name", "/srv/locksmith", files(usr+"a.conf", "d /srv/locks 0700 root root 10d"), OK, nil},
		{"its own entry ends the reach", "/srv/locks", files(usr+"a.conf", "d /srv 0755 root root 10d\nd /srv/locks 0700 root root -\n"), OK, nil},
		{"x spares all below", "/srv/a/b", files(usr+"a.conf", "d /srv 0755 root root 10d\n", etc+"b.conf", "x /srv/a\n"), OK, nil},
		{"X spares itself only", "/srv/a/b", files(usr+"a.conf", "d /srv 0755 root root 10d\n", etc+"b.conf", "X /srv/a\n"), Warning, []string{"10d"}},
		{"x by a pattern", "/srv/a-1/b", files(usr+"a.conf", "d /srv 0755 root root 10d\nx /srv/a-*\n"), OK, nil},
		{"a pattern stops at a slash", "/srv/a/b/c", files(usr+"a.conf", "d /srv 0755 root root 10d\nx /srv/a*c\n"), Warning, nil},
		{"e by a pattern", "/srv/a-1/b", files(usr+"a.conf", "e /srv/a-* - - - 2d\n"), Warning, []string{"2d"}},
		{"d knows no pattern", "/srv/a-1/b", files(usr+"a.conf", "d /srv/a-* - - - 2d\n"), OK, nil},
		{"x for the files", "/srv/a", files(usr+"a.conf", "d /srv/a - - - 2d\nx /srv/a/*.lock\n"), OK, nil},
		{"deeper rule wins", "/srv/a/b", files(usr+"a.conf", "d /srv - - - 10d\nd /srv/a - - - 3d\n"), Warning, []string{"3d"}},
		{"etc hides usr of the same name", "/srv/a", files(usr+"a.conf", "d /srv - - - 10d\n", etc+"a.conf", "d /srv - - - -\n"), OK, nil},
		{"an empty file masks", "/srv/a", files(usr+"a.conf", "d /srv - - - 10d\n", etc+"a.conf", ""), OK, nil},
		{"run hides usr", "/srv/a", files(usr+"a.conf", "d /srv - - - 10d\n", run+"a.conf", "d /srv - - - 4d\n"), Warning, []string{"4d", "/run/tmpfiles.d"}},
		{"etc hides run", "/srv/a", files(run+"a.conf", "d /srv - - - 10d\n", etc+"a.conf", "d /srv - - - 5d\n"), Warning, []string{"5d", "/etc/tmpfiles.d"}},
		{"the earlier file name wins", "/srv/a", files(usr+"b.conf", "d /srv - - - 10d\n", usr+"a.conf", "d /srv - - - -\n"), OK, nil},
		{"the earlier file name wins, elsewhere", "/srv/a", files(etc+"b.conf", "d /srv - - - -\n", usr+"a.conf", "d /srv - - - 6d\n"), Warning, []string{"6d"}},
		{"not a .conf", "/srv/a", files(usr+"a.conf.dpkg-old", "d /srv - - - 10d\n"), OK, nil},
		{"specifiers", "/var/tmp/a", files(usr+"a.conf", "d %V - - - 10d\n"), Warning, []string{"10d"}},
		{"a specifier that is unknown", "/srv/a", files(usr+"a.conf", "d /%U - - - 10d\n"), OK, nil},
		{"too few words", "/srv/a", files(usr+"a.conf", "d\nd /srv\n  \n"), OK, nil},
		{"emptied at the start", "/tmp/a", files(usr+"a.conf", "D /tmp 1777 root root -\n"), Warning, []string{"run numbers start anew"}},
		{"removed at the start", "/srv/a", files(usr+"a.conf", "R! /srv/*\n"), Warning, []string{"run numbers start anew"}},
		{"r takes no full directory", "/srv/a", files(usr+"a.conf", "r! /srv/*\n"), OK, nil},
		{"below /tmp without a rule", "/tmp/locks", files(), Warning, []string{"/tmp", "PrivateTmp"}},
		{"of a session", "/run/user/1000/x", files(), Warning, []string{"logs out"}},
		{"tmpreaper", "/scratch/l", files("etc/cron.daily/tmpreaper", "", "etc/tmpreaper.conf", "SHOWWARNING=false\nTMPREAPER_TIME=9d\nTMPREAPER_DIRS='/tmp/. /scratch/.'\n"), Warning, []string{"9d", "/etc/tmpreaper.conf", "/scratch"}},
		{"tmpreaper that spares it", "/scratch/l", files("etc/cron.daily/tmpreaper", "", "etc/tmpreaper.conf", "TMPREAPER_PROTECT_EXTRA='l/*'\nTMPREAPER_DIRS='/scratch/.'\n"), OK, nil},
		{"tmpreaper as it comes", "/scratch/l", files("etc/cron.daily/tmpreaper", "", "etc/tmpreaper.conf", "SHOWWARNING=true\nTMPREAPER_DIRS='/scratch/.'\n"), OK, nil},
		{"tmpreaper that was removed", "/scratch/l", files("etc/tmpreaper.conf", "TMPREAPER_DIRS='/scratch/.'\n"), OK, nil},
		{"tmpwatch", "/scratch/l", files("etc/cron.daily/tmpwatch", "#! /bin/sh\nflags=-umc\n/usr/sbin/tmpwatch \"$flags\" -x /tmp/.X11-unix \\\n  -X '/tmp/h*' 10d /tmp /scratch\n"), Warning, []string{"10d", "/scratch"}},
		{"tmpwatch elsewhere", "/srv/l", files("etc/cron.daily/tmpwatch", "/usr/sbin/tmpwatch 10d /tmp /scratch\n"), OK, nil},
	} {
		expect(t, c.name, judgeCleaners(c.root, c.dir, true), c.want, c.words...)
	}
	r := judgeCleaners(files(usr+"a.conf", "d /srv - - - 10d\n"), "/srv/a", false)
	expect(t, "without systemd", r, Warning, "systemd does not run here")
	if r.Facts["configuration"] != "/usr/lib/tmpfiles.d/a.conf" || r.Facts["age"] != "10d" {
		t.Errorf("%+v", r.Facts)
	}
}

func FuzzRule(f *testing.F) {
	f.Add("d \"/srv/my locks\" 0700 root root bmA:~12h -")
	f.Add(`x /a\ b '%V' %`)
	f.Fuzz(func(t *testing.T, line string) {
		if r, ok := parseRule(line); ok {
			aged([]rule{r}, "/var/tmp/x")
			emptied([]rule{r}, "/var/tmp/x")
		}
	})
}
