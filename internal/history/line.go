package history

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Line is a record of which only what is counted has been read yet.
type Line struct {
	Run            uint64
	Started, Ended time.Time
	Lasted         time.Duration
	Outcome        Outcome
	Closing        bool // see [Entry.Closing]
	raw            []byte
}

// lastYear is the last one that RFC 3339 can say.
const lastYear = 9999

// wire is a record as JSON has it.
type wire struct {
	Name          string    `json:"name"`
	Run           uint64    `json:"run"`
	StartedAt     time.Time `json:"started_at"`
	EndedAt       time.Time `json:"ended_at"`
	Seconds       float64   `json:"seconds"`
	Outcome       string    `json:"outcome"`
	ExitCode      *int      `json:"exit_code"`
	Signal        *string   `json:"signal"`
	User          string    `json:"user"`
	Host          string    `json:"host"`
	PID           int       `json:"pid"`
	EndedBefore   time.Time `json:"ended_before"`
	HolderRun     uint64    `json:"holder_run"`
	HolderPID     int       `json:"holder_pid"`
	HolderStarted time.Time `json:"holder_started_at"`
	Command       []string  `json:"command"`
}

// parse reads a line without its newline. ok is unset for what is no record: torn, or another
// line. The line keeps raw.
func parse(raw []byte) (l Line, ok bool) {
	// A line that was torn may have another one behind it. Within a string no quotation mark
	// stands alone.
	const begin = `{"name":"`
	for {
		i := bytes.Index(raw[1:], []byte(begin))
		if i < 0 {
			break
		}
		raw = raw[1+i:]
	}
	if l, ok = fast(raw); ok {
		return l, true
	}
	return slow(raw)
}

// fast reads a line as [Entry.Encode] writes it.
func fast(raw []byte) (l Line, ok bool) {
	s := scanner{rest: raw}
	s.skip(`{"name":"`)
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 || !whole(raw) {
		return l, false
	}
	s.rest = s.rest[end:]
	s.skip(`","run":`)
	l.Run = s.number()
	s.skip(`,"started_at":"`)
	l.Started = s.moment()
	s.skip(`","ended_at":"`)
	l.Ended = s.moment()
	s.skip(`","seconds":`)
	sec := s.number()
	s.skip(".")
	fraction := s.rest
	ms := s.number()
	s.bad = s.bad || len(fraction)-len(s.rest) != 3 || sec > 1e11
	l.Lasted = time.Duration(sec*1000+ms) * time.Millisecond
	s.skip(`,"outcome":"`)
	if end = bytes.IndexByte(s.rest, '"'); end < 0 || s.bad {
		return l, false
	}
	l.Outcome = outcomeOf(s.rest[:end])
	switch l.Outcome {
	case None:
		return l, false
	case Crashed, Ended, Replaced:
		l.Closing = bytes.Contains(s.rest, []byte(`,"ended_before":"`))
	}
	l.raw = raw
	return l, true
}

// whole reports whether a line is not one that was torn within a word of the command, which may contain
// anything: it ends with the end of a word, or has none. Within a word quotation marks have a backslash.
func whole(raw []byte) bool {
	words, ok := bytes.CutSuffix(raw, []byte(`"]}`))
	if !ok {
		return bytes.HasSuffix(raw, []byte(`,"command":[]}`))
	}
	if last := len(words) - 1; last >= 0 && bytes.IndexByte([]byte(`\[,`), words[last]) < 0 {
		return true
	}
	return json.Valid(raw) // the quotation mark may be one that begins a word
}

// slow reads a line that somebody else wrote.
func slow(raw []byte) (l Line, ok bool) {
	var w wire
	if json.Unmarshal(raw, &w) != nil {
		return l, false
	}
	o := outcomeOf([]byte(w.Outcome))
	if o == None || !(w.Seconds >= 0 && w.Seconds < 1e11) || w.EndedAt.UTC().Year() > lastYear {
		return l, false
	}
	return Line{
		Run: w.Run, Started: w.StartedAt, Ended: w.EndedAt, Lasted: time.Duration(math.Round(w.Seconds*1000)) * time.Millisecond,
		Outcome: o, Closing: !w.EndedBefore.IsZero(), raw: raw,
	}, true
}

// Entry reads the whole record.
func (l *Line) Entry() (e Entry, ok bool) {
	var w wire
	if json.Unmarshal(l.raw, &w) != nil {
		return e, false
	}
	e = Entry{
		Name: w.Name, Run: w.Run, Started: w.StartedAt, Ended: w.EndedAt, Lasted: l.Lasted, Outcome: l.Outcome,
		ExitCode: NoCode, User: w.User, Host: w.Host, PID: w.PID, EndedBefore: w.EndedBefore,
		HolderRun: w.HolderRun, HolderPID: w.HolderPID, HolderStarted: w.HolderStarted, Command: w.Command,
	}
	if w.ExitCode != nil {
		e.ExitCode = *w.ExitCode
	}
	if w.Signal != nil {
		e.SignalName = *w.Signal
	}
	return e, true
}

// Keep is a copy that stays valid.
func (l *Line) Keep() Line {
	c := *l
	c.raw = bytes.Clone(l.raw)
	return c
}

// Raw is the line as it is in the file.
func (l *Line) Raw() []byte { return l.raw }

// scanner takes what is expected from rest. After the first fault bad is set.
type scanner struct {
	rest []byte
	bad  bool
}

func (s *scanner) skip(want string) {
	if len(s.rest) < len(want) || string(s.rest[:len(want)]) != want {
		s.bad = true
		return
	}
	s.rest = s.rest[len(want):]
}

func (s *scanner) number() (n uint64) {
	i := 0
	for ; i < len(s.rest) && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		n = 10*n + uint64(s.rest[i]-'0')
	}
	s.bad = s.bad || i == 0 || i > 19
	s.rest = s.rest[i:]
	return n
}

// moment takes a time as [moment] writes it.
func (s *scanner) moment() time.Time {
	const form = "2006-01-02T15:04:05.000Z"
	if len(s.rest) < len(form) {
		s.bad = true
		return time.Time{}
	}
	b := s.rest[:len(form)]
	s.rest = s.rest[len(form):]
	for i := range len(form) {
		digit := '0' <= form[i] && form[i] <= '9'
		if digit != ('0' <= b[i] && b[i] <= '9') || !digit && b[i] != form[i] {
			s.bad = true
			return time.Time{}
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	if m, d := two(5), two(8); m < 1 || m > 12 || d < 1 || d > 31 || two(11) > 23 || two(14) > 59 || two(17) > 59 {
		s.bad = true
		return time.Time{}
	}
	ms := int(b[20]-'0')*100 + two(21)
	return time.Date(two(0)*100+two(2), time.Month(two(5)), two(8), two(11), two(14), two(17), ms*1e6, time.UTC)
}

// Totals count what is in files that are gone.
type Totals struct {
	Count  [outcomes]uint64
	LastOK time.Time
}

// Add counts a record.
func (t *Totals) Add(l *Line) {
	t.Count[l.Outcome]++
	if l.Outcome == OK && l.Ended.After(t.LastOK) {
		t.LastOK = l.Ended
	}
}

// encode is the line that says what came before its file:
//
//	{"before":{"ok":812,"failed":3},"last_ok":"2026-11-24T02:28:01.123Z"}
func (t Totals) encode(b []byte) []byte {
	b = append(b, `{"before":{`...)
	first := true
	for o, n := range t.Count {
		if n == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = strconv.AppendQuote(b, Outcome(o).String())
		b = append(b, ':')
		b = strconv.AppendUint(b, n, 10)
	}
	b = append(b, '}')
	if !t.LastOK.IsZero() {
		b = append(b, `,"last_ok":"`...)
		b = t.LastOK.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	}
	return append(b, "}\n"...)
}

// totalsOf reads such a line.
func totalsOf(raw []byte) (t Totals, ok bool) {
	var w struct {
		Before map[string]uint64 `json:"before"`
		LastOK time.Time         `json:"last_ok"`
	}
	if !bytes.HasPrefix(raw, []byte(`{"before":`)) || json.Unmarshal(raw, &w) != nil {
		return t, false
	}
	for word, n := range w.Before {
		t.Count[outcomeOf([]byte(word))] += n
	}
	t.Count[None] = 0
	t.LastOK = w.LastOK
	return t, true
}
