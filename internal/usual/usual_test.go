package usual

import (
	"testing"
	"time"
)

func TestSample(t *testing.T) {
	var s Sample
	if s.Add(time.Second); s.P50() != 0 || s.P95() != 0 {
		t.Error("one run is not usual")
	}
	s.Add(time.Second)
	if s.Add(time.Hour); s.P50() != time.Second || s.P95() != time.Hour {
		t.Errorf("of three: %v, %v", s.P50(), s.P95())
	}
	s = Sample{}
	for i := range 100 { // 68 s to 99 s are kept
		s.Add(time.Duration(99-i) * time.Second)
		s.Add(time.Duration(i) * time.Second)
	}
	if s.N != Size || s.MS[Size-1] != 99_000 {
		t.Errorf("%+v", s)
	}
	s = Sample{}
	for i := range 100 {
		s.Add(time.Duration(i) * time.Second)
	}
	if got := s.P50(); got != 83*time.Second {
		t.Errorf("median %v", got)
	}
	if got := s.P95(); got != 98*time.Second {
		t.Errorf("95 in 100: %v", got)
	}
	s.Add(-time.Second)
	if s.Add(1 << 62); s.MS[Size-2] != 0 || s.MS[Size-1] != uint64(Longest/time.Millisecond) {
		t.Errorf("%+v", s)
	}
}
