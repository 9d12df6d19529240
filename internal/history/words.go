package history

import "github.com/sole-run/sole/internal/fixed"

// Words are taken from a string by their place: before the Go runtime is there, no variable is, and the
// compiler makes a jump of many cases that a test cannot follow.

const (
	outcomeWords = " ok failed signaled timeout replaced lost skipped crashed ended"
	// Signals as signal(7) has them, from 1 on, for the usual architectures.
	signalWords = " HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT" +
		" CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
)

// word is the word of the list at that place, from 1 on; "" if there is none. A blank is before each.
func word(list string, place int) string {
	from := 0
	for i := range len(list) + 1 {
		if i < len(list) && list[i] != ' ' {
			continue
		}
		if place == 0 {
			return list[from:i]
		}
		place--
		from = i + 1
	}
	return ""
}

// String is the word in the file.
func (o Outcome) String() string { return word(outcomeWords, int(o)) }

// outcomeOf is the outcome of that word, None for an unknown one.
func outcomeOf(b []byte) Outcome {
	if len(b) == 2 && b[0] == 'o' && b[1] == 'k' { // most are
		return OK
	}
	for o := OK; o < outcomes; o++ {
		if string(b) == o.String() {
			return o
		}
	}
	return None
}

// signal writes the name of a signal, as a JSON string.
func signal(w *fixed.Writer, sig int) {
	w.Text(`"SIG`)
	if name := word(signalWords, sig); name != "" {
		w.Text(name)
	} else {
		w.Number(uint64(sig)) // a real-time signal
	}
	w.Byte('"')
}
