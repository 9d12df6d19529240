package fixed

import (
	"fmt"
	"math"
	"testing"
)

func TestWriter(t *testing.T) {
	for size := range 60 {
		w := Writer{B: make([]byte, size)}
		w.Text("a")
		w.Bytes([]byte("bc"))
		w.Byte('d')
		w.Number(0)
		w.Number(math.MaxUint64)
		w.Padded(7, 3)
		w.Padded(1, 99)
		want := fmt.Sprintf("abcd0%d%03d%020d", uint64(math.MaxUint64), 7, 1)
		if w.N != len(want) || w.Fits() != (size >= len(want)) {
			t.Errorf("%d bytes: counted %d, fits %v", size, w.N, w.Fits())
		}
		if n := min(size, len(want)); string(w.B[:n]) != want[:n] {
			t.Errorf("%d bytes: %q", size, w.B[:n])
		}
	}
}

func TestOrdinal(t *testing.T) {
	for v, want := range map[uint64]string{0: "0th", 1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 10: "10th", 11: "11th", 12: "12th", 13: "13th",
		21: "21st", 22: "22nd", 101: "101st", 111: "111th", 112: "112th", 1013: "1013th", 1023: "1023rd"} {
		w := Writer{B: make([]byte, 20)}
		if w.Ordinal(v); string(w.B[:w.N]) != want {
			t.Errorf("%s, not %s", w.B[:w.N], want)
		}
	}
}
