package usual

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0ms", 0: "0ms", 49 * time.Millisecond: "49ms", 999900 * time.Microsecond: "999ms", 1040 * time.Millisecond: "1s", time.Second: "1s",
		1460 * time.Millisecond: "1.5s", 9960 * time.Millisecond: "10s", 45400 * time.Millisecond: "45s", 59600 * time.Millisecond: "1m",
		90 * time.Second: "1m30s", 2 * time.Minute: "2m", 599600 * time.Millisecond: "10m", 28*time.Minute + 20*time.Second: "28m",
		28*time.Minute + 40*time.Second: "29m", 59*time.Minute + 40*time.Second: "1h", 72 * time.Minute: "1h12m", 3 * time.Hour: "3h",
		24*time.Hour - time.Second: "24h", 76 * time.Hour: "3d4h", 72 * time.Hour: "3d", Longest: "1157d10h", 1<<63 - 1: "1157d10h",
	} {
		if got := Words(d); got != want {
			t.Errorf("%v: %s, not %s", d, got, want)
		}
	}
}

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
	if s.Add(1 << 62); s.MS[Size-2] != 1 || s.MS[Size-1] != uint64(Longest/time.Millisecond) {
		t.Errorf("%+v", s)
	}
}
