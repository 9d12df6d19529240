package main

import (
	"slices"
	"time"
)

// sample is the durations of one side.
type sample []time.Duration

// at is a percentile by the nearest rank.
func (s sample) at(p int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

func (s sample) max() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// ratio is of the medians.
func ratio(ours, peer sample) float64 {
	if peer.at(50) == 0 {
		return 0
	}
	return float64(ours.at(50)) / float64(peer.at(50))
}
