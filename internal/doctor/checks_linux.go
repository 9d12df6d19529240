package doctor

// check is one thing to find out.
type check struct {
	name string
	// apart is set for what touches a filesystem: it runs in a process of its own.
	apart bool
	run   func(Place) Result
}

// checks are all there are, in the order in which they are shown.
func checks() []check {
	return []check{
		{"directory", true, checkDirectory},
		{"cron", true, checkCron},
		{"owners", true, checkOwners},
		{"filesystem", true, checkFilesystem},
		{"room", true, checkRoom},
		{"flock", true, checkFlock},
		{"ofd", true, checkOFD},
		{"posix", true, checkPOSIX},
		{"cleaners", true, checkCleaners},
		{"namespaces", false, checkNamespaces},
		{"clock", false, checkClock},
		{"kernel", false, checkKernel},
		{"proc", false, checkProc},
		{"limits", false, checkLimits},
		{"inotify", false, checkInotify},
	}
}

func checkNamed(name string) (check, bool) {
	for _, c := range checks() {
		if c.name == name {
			return c, true
		}
	}
	return check{}, false
}

// named runs the check.
func (c check) named(p Place) Result {
	r := c.run(p)
	r.Name = c.name
	if r.Facts == nil {
		r.Facts = map[string]string{}
	}
	return r
}
