package main

import (
	"fmt"

	"github.com/sole-run/sole"
)

// check refuses flags that contradict each other.
func (o *runFlags) check() error {
	for _, c := range contradictions {
		if o.given[c.one] && o.given[c.other] {
			return &failure{exitUsage, fmt.Sprintf("--%s and --%s contradict each other: %s", c.one, c.other, c.why),
				"leave one of them out"}
		}
	}
	if err := o.checkMethod(); err != nil {
		return err
	}
	for _, long := range []string{"grace", "kill-tree"} { // they are also for the holder that is replaced
		if o.exec && o.given[long] && !o.replace {
			return &failure{exitUsage, fmt.Sprintf("--exec and --%s contradict each other: %s", long, nobodyLeft), "leave one of them out"}
		}
	}
	if o.given["older-than"] && !o.replace {
		return &failure{exitUsage, "--older-than says which holder --replace ends, and there is no --replace", "add --replace"}
	}
	return nil
}

// contradictions are the flags that make no sense together. docs/waiting.md has the same table.
var contradictions = []struct{ one, other, why string }{
	{"exec", "max-time", nobodyLeft},
	{"exec", "until", nobodyLeft},
	{"exec", "notify", nobodyLeft},
	{"exec", "overrun", nobodyLeft},
	{"queue", "replace", "--queue waits for the holder, --replace ends it"},
	{"shared", "slots", "--shared admits any number of holders, --slots a limited one"},
	{"shared", "replace", "one who shares NAME is not in the way of another"},
	{"slots", "replace", "it is not said which of the holders to end"},
	{"pidfile", "shared", oneProcess},
	{"pidfile", "slots", oneProcess},
}

// checkMethod is for what --method says, not that it is there.
func (o *runFlags) checkMethod() error {
	if o.method == "" || o.method == sole.MethodFlock {
		return nil
	}
	bad := func(other, why string) error {
		return &failure{exitUsage, fmt.Sprintf("--method %s and --%s contradict each other: %s", o.method, other, why),
			"leave one of them out"}
	}
	for _, long := range []string{"shared", "slots"} {
		if o.given[long] {
			return bad(long, oneProcess)
		}
	}
	if o.exec && o.method != sole.MethodPidFile {
		return bad("exec", nobodyLeft)
	}
	return nil
}

const oneProcess = "it names one process, and several may hold NAME"

const nobodyLeft = "with --exec nobody is left to see to it"
