package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/history"
)

// chronicle is what is known of names: how they are now, and their histories.
type chronicle struct {
	*past
	names  []string
	status map[string]sole.Status
	faults []error // about what may not be looked at
}

// openChronicle looks at the name, or at all names in the directory if it is "".
func openChronicle(dir, only string) (*chronicle, error) {
	p, err := openPast(dir)
	if err != nil {
		return nil, err
	}
	c := &chronicle{past: p, status: map[string]sole.Status{}}
	if only != "" {
		st, err := sole.Inspect(only, sole.Dir(dir))
		if err != nil {
			return nil, err
		}
		c.names, c.status[only] = []string{only}, st
		return c, nil
	}
	list, err := sole.List(sole.Dir(dir))
	if err != nil && list == nil {
		return nil, err
	}
	if err != nil {
		c.faults = append(c.faults, err)
	}
	if c.names, err = p.names(); err != nil {
		return nil, err
	}
	for _, st := range list {
		c.status[st.Name] = st
		c.names = append(c.names, st.Name)
	}
	slices.Sort(c.names)
	c.names = slices.Compact(c.names)
	return c, nil
}

// replay gives the records of a name to visit. What it may not read is a fault, and no error: what else
// there is, is still worth to be shown.
func (c *chronicle) replay(n string, visit func(*history.Line)) (history.Found, bool) {
	found, err := c.read(n, visit)
	if err != nil {
		c.faults = append(c.faults, fmt.Errorf("the history of %s: %w", n, err))
	}
	return found, err == nil
}

// report says what could not be looked at, and returns the exit code.
func (c *chronicle) report() int {
	if len(c.faults) == 0 {
		return exitOK
	}
	return fail(errors.Join(c.faults...))
}
