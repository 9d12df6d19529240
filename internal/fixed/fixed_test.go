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
