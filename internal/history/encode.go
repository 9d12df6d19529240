package history

import (
	"time"

	"github.com/sole-run/sole/internal/fixed"
)

// MaxLine is the longest line that is written. Commands are cut to that.
const MaxLine = 2048

// Encode writes the record and its newline into line, and returns its length. It takes no memory
// and needs no Go runtime (internal/early).
func (e *Entry) Encode(line *[MaxLine]byte) int {
	w := fixed.Writer{B: line[:]}
	w.Text(`{"name":`)
	quote(&w, e.Name)
	WhichRun(&w, e.Run, e.Started)
	moment(&w, `,"ended_at":`, e.Ended)
	w.Text(`,"seconds":`)
	seconds(&w, e.Lasted)
	w.Text(`,"outcome":"`)
	w.Text(e.Outcome.String())
	w.Text(`","exit_code":`)
	if e.ExitCode < 0 {
		w.Text("null")
	} else {
		w.Number(uint64(e.ExitCode))
	}
	w.Text(`,"signal":`)
	if e.Signal == 0 {
		w.Text("null")
	} else {
		signal(&w, e.Signal)
	}
	w.Text(`,"user":`)
	quote(&w, e.User)
	w.Text(`,"host":`)
	quote(&w, e.Host)
	w.Text(`,"pid":`)
	w.Number(uint64(max(e.PID, 0)))
	if e.Closing() {
		moment(&w, `,"ended_before":`, e.EndedBefore)
	}
	if e.Outcome == Skipped {
		w.Text(`,"holder_run":`)
		w.Number(e.HolderRun)
		w.Text(`,"holder_pid":`)
		w.Number(uint64(max(e.HolderPID, 0)))
		if e.HolderStarted.UnixNano() > 0 {
			moment(&w, `,"holder_started_at":`, e.HolderStarted)
		}
	}
	words(&w, e.Command, e.Cut)
	w.Text("}\n")
	return w.N
}

// WhichRun writes what tells a record's run from others: the part behind the name.
func WhichRun(w *fixed.Writer, run uint64, started time.Time) {
	w.Text(`,"run":`)
	w.Number(run)
	moment(w, `,"started_at":`, started)
}

// words writes the command as far as it fits.
func words(w *fixed.Writer, command []string, cut bool) {
	const end = ",\"…\"]}\n"
	w.Text(`,"command":[`)
	for i, word := range command {
		before := w.N
		if i > 0 {
			w.Byte(',')
		}
		// A word that is longer than the line need not be tried.
		if len(word) < MaxLine {
			quote(w, word)
		}
		if len(word) >= MaxLine || w.N > MaxLine-len(end) {
			w.N = before
			cut = true
			break
		}
	}
	switch {
	case cut && len(w.B) > 0 && w.B[w.N-1] == '[':
		w.Text(`"…"`)
	case cut:
		w.Text(`,"…"`)
	}
	w.Byte(']')
}

// seconds writes a duration in seconds, to the millisecond.
func seconds(w *fixed.Writer, d time.Duration) {
	ms := uint64(max(d, 0)) / 1e6
	w.Number(ms / 1000)
	w.Byte('.')
	w.Padded(ms%1000, 3)
}

// quote writes s as a JSON string. What is not UTF-8 becomes U+FFFD.
func quote(w *fixed.Writer, s string) {
	const digits = "0123456789abcdef"
	w.Byte('"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			w.Byte('\\')
			w.Byte(c)
		case c < ' ' || c == 0x7f:
			w.Text(`\u00`)
			w.Byte(digits[c>>4])
			w.Byte(digits[c&15])
		case c < 0x80:
			w.Byte(c)
		default:
			n := runeLength(s[i:])
			if n == 0 {
				w.Text("\ufffd")
				n = 1
			} else {
				w.Text(s[i : i+n])
			}
			i += n
			continue
		}
		i++
	}
	w.Byte('"')
}

// runeLength is the length of the UTF-8 sequence that s begins with, 0 if it is none (RFC 3629,
// section 4). unicode/utf8 has tables, which are not there before the Go runtime is.
func runeLength(s string) int {
	c := s[0]
	n, low, high := 0, byte(0x80), byte(0xbf)
	switch {
	case 0xc2 <= c && c <= 0xdf:
		n = 2
	case 0xe0 <= c && c <= 0xef:
		n = 3
	case 0xf0 <= c && c <= 0xf4:
		n = 4
	}
	switch c {
	case 0xe0:
		low = 0xa0 // else it could be shorter
	case 0xed:
		high = 0x9f // surrogates
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f // beyond U+10FFFF
	}
	if n == 0 || len(s) < n || s[1] < low || s[1] > high {
		return 0
	}
	for _, c := range []byte(s[2:n]) {
		if c < 0x80 || c > 0xbf {
			return 0
		}
	}
	return n
}

// moment writes a key and a time as RFC 3339 has it, in UTC, to the millisecond.
func moment(w *fixed.Writer, key string, t time.Time) {
	w.Text(key)
	w.Byte('"')
	ms := max(t.UnixNano(), 0) / 1e6
	day, ms := ms/86400e3, ms%86400e3
	year, month, date := civil(day)
	w.Padded(year, 4)
	w.Byte('-')
	w.Padded(month, 2)
	w.Byte('-')
	w.Padded(date, 2)
	w.Byte('T')
	s := uint64(ms / 1000)
	w.Padded(s/3600, 2)
	w.Byte(':')
	w.Padded(s/60%60, 2)
	w.Byte(':')
	w.Padded(s%60, 2)
	w.Byte('.')
	w.Padded(uint64(ms%1000), 3)
	w.Text(`Z"`)
}

// civil is the Gregorian date that many days after 1970-01-01. Years are counted from March on, so
// that the leap day is the last of one, in eras of 400 years.
func civil(days int64) (year, month, day uint64) {
	const era, century, leap = 146097, 36524, 1461
	d := uint64(days + 719468) // since 0000-03-01
	ofEra := d % era
	yearOfEra := (ofEra - ofEra/(leap-1) + ofEra/century - ofEra/(era-1)) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*ofYear + 2) / 153
	day = ofYear - (153*fromMarch+2)/5 + 1
	month = fromMarch + 3
	if month > 12 {
		month -= 12
	}
	year = yearOfEra + d/era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}
