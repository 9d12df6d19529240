// Package usual keeps how long the last runs of a name took that succeeded, and says how long
// they usually take. It takes no memory and needs no Go runtime, so that internal/early can use it.
package usual

import "time"

const (
	// Size is of how many runs a sample is at most: enough to tell one slow run from a slow job,
	// and few enough to follow a job that changes.
	Size = 32
	// Fewest is from how many runs on one can say what is usual.
	Fewest = 3
	// Longest is the longest duration that is told from longer ones: three years.
	Longest = 99_999_999_999 * time.Millisecond
)

// Sample is how long the last runs took, the newest last. The zero value is an empty one.
type Sample struct {
	N  int
	MS [Size]uint64
}

// Add adds a run, and drops the oldest if there is no room. Whatever is shorter counts as a millisecond, so
// that 0 can stand for what is not known.
func (s *Sample) Add(d time.Duration) {
	if s.N == Size {
		copy(s.MS[:], s.MS[1:])
		s.N--
	}
	s.MS[s.N] = uint64(min(max(d, time.Millisecond), Longest)) / 1e6
	s.N++
}

// P50 is the median: half of the runs took that long or less. It is 0 for too few runs.
func (s *Sample) P50() time.Duration { return s.quantile(50) }

// P95 is what 95 in 100 of the runs took or less. It is 0 for too few runs.
func (s *Sample) P95() time.Duration { return s.quantile(95) }

// quantile is by the nearest rank.
func (s *Sample) quantile(percent int) time.Duration {
	if s.N < Fewest {
		return 0
	}
	sorted := s.MS
	for i := 1; i < s.N; i++ {
		for j := i; j > 0 && sorted[j-1] > sorted[j]; j-- {
			sorted[j-1], sorted[j] = sorted[j], sorted[j-1]
		}
	}
	return time.Duration(sorted[(percent*s.N+99)/100-1]) * time.Millisecond
}
