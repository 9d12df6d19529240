package doctor

import (
	"io/fs"
	"os"
)

// checkCleaners looks for what removes old files in the directory.
func checkCleaners(p Place) Result {
	s, err := p.find()
	if err != nil {
		return skip("there is no directory that could be cleaned")
	}
	return judgeCleaners(os.DirFS("/"), s.wanted(), bootedBySystemd())
}

// bootedBySystemd is sd_booted(3).
func bootedBySystemd() bool {
	_, err := os.Lstat("/run/systemd/system")
	return err == nil
}

// judgeCleaners does so by the configuration below root.
func judgeCleaners(root fs.FS, dir string, systemd bool) Result {
	rules, unread := readRules(root)
	if r, ok := aged(rules, dir); ok {
		return r.warning("x", systemd, "removes files in it that were not used for "+r.age)
	}
	if r, ok := reapers(root, dir); ok {
		return warn("exclude it in "+r.file+", or "+otherDir,
			"%s has files below %s removed that were not used for %s", r.file, cutPath(r.dir), r.age).
			with("configuration", r.file)
	}
	if within(dir, "/run/user") {
		return warn(otherDir, "what is below /run/user is removed when the user logs out, and not there in cron")
	}
	if r, ok := emptied(rules, dir); ok {
		return r.warning("", systemd, "empties it when the host starts, so run numbers start anew")
	}
	for _, tmp := range []string{"/tmp", "/var/tmp", "/dev/shm", "/run"} {
		if within(dir, tmp) {
			return warn(otherDir, "%s is for what may be removed: many hosts empty it at a restart or by age, and services with PrivateTmp= see another one", tmp)
		}
	}
	if unread != nil {
		return warn("", "nothing that removes files in it was found, but not all could be read: %v", unread)
	}
	return ok("no tmpfiles.d rule, tmpreaper or tmpwatch removes files in it")
}

// warning says what the rule does, and which kind of rule would spare the directory.
func (r rule) warning(spare string, systemd bool, does string) Result {
	do := otherDir
	if spare != "" {
		do = "write \"" + spare + " DIRECTORY\" into a file in /etc/tmpfiles.d, or " + otherDir
	}
	here := ""
	if !systemd {
		here = " (systemd does not run here now)"
	}
	return warn(do, "a tmpfiles.d rule for %s in %s %s%s", cutPath(r.path), r.file, does, here).
		with("configuration", r.file).with("rule", r.kind+" "+r.path).with("age", r.age)
}
