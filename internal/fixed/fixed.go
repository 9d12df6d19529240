// Package fixed writes text into memory of a fixed size. It takes no memory and needs no Go
// runtime, so that internal/early can use it. It knows nothing of what is written.
package fixed

// Writer writes into B, and counts in N how much was written: what does not fit too,
// though it is dropped, so that the caller can look at N and go back.
type Writer struct {
	B []byte
	N int
}

// Fits reports whether nothing was dropped.
func (w *Writer) Fits() bool { return w.N <= len(w.B) }

// Byte writes one byte.
func (w *Writer) Byte(c byte) {
	if w.N < len(w.B) {
		w.B[w.N] = c
	}
	w.N++
}

// Text writes s.
func (w *Writer) Text(s string) {
	if w.N < len(w.B) {
		copy(w.B[w.N:], s)
	}
	w.N += len(s)
}

// Bytes writes b.
func (w *Writer) Bytes(b []byte) {
	if w.N < len(w.B) {
		copy(w.B[w.N:], b)
	}
	w.N += len(b)
}

// Number writes v in decimal digits.
func (w *Writer) Number(v uint64) { w.Padded(v, 1) }

// Ordinal writes v as 1st, 2nd, 3rd, 4th.
func (w *Writer) Ordinal(v uint64) {
	w.Number(v)
	ending := "th"
	if v/10%10 != 1 {
		switch v % 10 {
		case 1:
			ending = "st"
		case 2:
			ending = "nd"
		case 3:
			ending = "rd"
		}
	}
	w.Text(ending)
}

// Padded writes v with zeros in front, so that it has at least that many digits, up to 20.
func (w *Writer) Padded(v uint64, digits int) {
	var b [20]byte
	at := len(b)
	for v > 0 || len(b)-at < min(digits, len(b)) {
		at--
		b[at] = byte('0' + v%10)
		v /= 10
	}
	w.Bytes(b[at:])
}
