package usual

import (
	"time"

	"github.com/sole-run/sole/internal/fixed"
)

// Write writes how long something usually takes, as people say it: 240ms, 1.5s, 45s, 1m30s, 28m, 1h12m, 3d4h.
func Write(w *fixed.Writer, d time.Duration) {
	const day = 24 * time.Hour
	ms := uint64(min(max(d, 0), Longest)) / 1e6
	switch d = time.Duration(ms) * time.Millisecond; {
	case d < time.Second:
		w.Number(ms)
		w.Text("ms")
	case d < 10*time.Second:
		tenths := (ms + 50) / 100
		w.Number(tenths / 10)
		if tenths%10 != 0 {
			w.Byte('.')
			w.Number(tenths % 10)
		}
		w.Byte('s')
	case d < 10*time.Minute:
		two(w, d, time.Minute, 'm', time.Second, 's')
	case d < day:
		two(w, d, time.Hour, 'h', time.Minute, 'm')
	default:
		two(w, d, day, 'd', time.Hour, 'h')
	}
}

// two writes d, rounded to the smaller one of two units. One that is zero is left out.
func two(w *fixed.Writer, d, large time.Duration, largeName byte, small time.Duration, smallName byte) {
	n := uint64((d + small/2) / small)
	each := uint64(large / small)
	if n >= each {
		w.Number(n / each)
		w.Byte(largeName)
	}
	if n%each != 0 {
		w.Number(n % each)
		w.Byte(smallName)
	}
}

// Words is what [Write] writes.
func Words(d time.Duration) string {
	var b [32]byte
	w := fixed.Writer{B: b[:]}
	Write(&w, d)
	return string(b[:w.N])
}
