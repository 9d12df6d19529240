//go:build linux && (amd64 || arm64)

package early

// writer writes into b. What does not fit is counted, and dropped.
type writer struct {
	b []byte
	n int
}

func (w *writer) fits() bool { return w.n <= len(w.b) }

func (w *writer) byte(c byte) {
	if w.n < len(w.b) {
		w.b[w.n] = c
	}
	w.n++
}

func (w *writer) text(s string) {
	if w.n < len(w.b) {
		copy(w.b[w.n:], s)
	}
	w.n += len(s)
}

func (w *writer) number(v uint64) { w.padded(v, 1) }

// padded writes v with at least digits digits.
func (w *writer) padded(v uint64, digits int) {
	var b [20]byte
	at := len(b)
	for v > 0 || len(b)-at < digits {
		at--
		b[at] = byte('0' + v%10)
		v /= 10
	}
	for _, c := range b[at:] {
		w.byte(c)
	}
}
