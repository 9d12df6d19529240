package doctor

import "strings"

// Which locks sole itself needs, and what happens where one does not work, is here.

// checkFlock tries what holds a name.
func checkFlock(p Place) Result {
	return p.tryLocks("flock", func(found finding, p *probe) (Result, error) {
		if len(found.faults) > 0 {
			return fail(Lock, localDir, "flock(2) locks exclude nobody: they are %s", strings.Join(found.faults, ", and ")), nil
		}
		if err := p.examineShared(&found); err != nil {
			return Result{}, err
		}
		if len(found.faults) > 0 {
			return fail(Lock, localDir, "flock(2) locks cannot be shared: they are %s", strings.Join(found.faults, ", and ")), nil
		}
		if err := p.examineBoth(&found); err != nil {
			return Result{}, err
		}
		if found.collides {
			return warn(localDir, "flock(2) locks exclude, and fcntl(2) locks too, as on NFS: the marks that tell who holds a name and who waits may be refused"), nil
		}
		return ok("flock(2) locks exclude, within a process and between two, and can be shared"), nil
	})
}

// checkOFD tries what tells who holds a name, who waits, and who has a slot.
func checkOFD(p Place) Result {
	return p.tryLocks("ofd", func(found finding, _ *probe) (Result, error) {
		if len(found.faults) > 0 {
			return fail(Lock, localDir, "OFD locks exclude nobody: they are %s; slots and the order of waiters need them", strings.Join(found.faults, ", and ")), nil
		}
		return ok("open file description locks exclude, and are seen by others"), nil
	})
}

// checkPOSIX tries what other programs use, and sole does not.
func checkPOSIX(p Place) Result {
	return p.tryLocks("posix", func(found finding, _ *probe) (Result, error) {
		if len(found.faults) > 0 {
			return warn(localDir, "POSIX fcntl(2) locks exclude nobody: they are %s; sole needs none, other programs may", strings.Join(found.faults, ", and ")), nil
		}
		return ok("POSIX fcntl(2) locks exclude; sole needs none, other programs may"), nil
	})
}

// tryLocks examines a family and has judge say what follows from it.
func (p Place) tryLocks(name string, judge func(finding, *probe) (Result, error)) Result {
	s, err := p.find()
	if err != nil {
		return skip("there is no directory to try it in")
	}
	f, _ := familyNamed(name)
	pr, err := openProbes(s.dir)
	if err != nil {
		return noProbe(err)
	}
	defer pr.close()
	found, err := pr.examine(f)
	var r Result
	switch {
	case err != nil:
	case found.refused != nil && name == "flock":
		r = fail(Lock, localDir, "flock(2) is refused: %s", refused(found.refused))
	case found.refused != nil && name == "ofd":
		r = fail(Lock, localDir, "OFD locks are refused: %s; slots and the order of waiters need them", refused(found.refused))
	case found.refused != nil:
		r = warn("", "POSIX fcntl(2) locks are refused: %s; sole needs none, other programs may", refused(found.refused))
	default:
		r, err = judge(found, pr)
	}
	if err != nil {
		cause, do := causeOf(err)
		return fail(cause, do, "%s locks could not be tried to the end: %v", f.call, err)
	}
	return r
}

// noProbe is the result where there is nothing to try locks on.
func noProbe(err error) Result {
	if cause, _ := causeOf(err); cause != System {
		return skip("no file to try it on can be made, see room")
	}
	return fail(System, "", "it cannot be tried: %v", err)
}
