package main

import (
	"fmt"
	"runtime"
	"time"
)

// side is one contender. once does the work a single time and returns how long it took.
type side struct {
	name string
	once func() (time.Duration, error)
	got  sample
}

// leastTurns is how many turns a contest of quick things takes, however short its time.
const leastTurns = 21

// contest lets the sides take turns until the time is over, but at least so
// often, after some turns that do not count. The order turns round
// each time, so that nobody always comes after the same neighbour.
func contest(d time.Duration, least int, sides []*side) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	end := time.Now().Add(d)
	for turn := -least / 4; turn < least || time.Now().Before(end); turn++ {
		for i := range sides {
			s := sides[i]
			if turn%2 != 0 {
				s = sides[len(sides)-1-i]
			}
			took, err := s.once()
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if turn >= 0 {
				s.got = append(s.got, took)
			}
		}
	}
	return nil
}
