package history

import "github.com/sole-run/sole/internal/fixed"

// signal writes the name of a signal (signal(7)), as a JSON string.
func signal(w *fixed.Writer, sig int) {
	w.Text(`"SIG`)
	if name := signalName(sig); name != "" {
		w.Text(name)
	} else {
		w.Number(uint64(sig)) // a real-time signal
	}
	w.Byte('"')
}

// signalName is the name without SIG, "" where there is none. A table would be a variable, which is
// not there before the Go runtime is.
func signalName(sig int) string {
	switch sig {
	case 1:
		return "HUP"
	case 2:
		return "INT"
	case 3:
		return "QUIT"
	case 4:
		return "ILL"
	case 5:
		return "TRAP"
	case 6:
		return "ABRT"
	case 7:
		return "BUS"
	case 8:
		return "FPE"
	case 9:
		return "KILL"
	case 10:
		return "USR1"
	case 11:
		return "SEGV"
	case 12:
		return "USR2"
	case 13:
		return "PIPE"
	case 14:
		return "ALRM"
	case 15:
		return "TERM"
	case 16:
		return "STKFLT"
	case 24:
		return "XCPU"
	case 25:
		return "XFSZ"
	case 26:
		return "VTALRM"
	case 27:
		return "PROF"
	case 29:
		return "IO"
	case 30:
		return "PWR"
	case 31:
		return "SYS"
	}
	return ""
}
