package history

import (
	"encoding/json"
	"golang.org/x/sys/unix"
	"math/rand/v2"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// encode is the line of an entry without its newline.
func encode(t testing.TB, e *Entry) []byte {
	t.Helper()
	var line [MaxLine]byte
	n := e.Encode(&line)
	if n > MaxLine || line[n-1] != '\n' || strings.IndexByte(string(line[:n-1]), '\n') >= 0 {
		t.Fatalf("no line of at most %d bytes: %d, %q", MaxLine, n, line[:min(n, MaxLine)])
	}
	return line[:n-1]
}

func TestEncode(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 0, 1, 123e6, time.UTC)
	e := Entry{Name: "backup", Run: 41, Started: at, Ended: at.Add(time.Minute), Lasted: time.Minute, Outcome: OK,
		User: "root", Host: "web1", PID: 812, Command: []string{"rsync", "-a", `"x"` + "\t\xff"}}
	want := `{"name":"backup","run":41,"started_at":"2026-11-24T02:00:01.123Z","ended_at":"2026-11-24T02:01:01.123Z",` +
		`"seconds":60.000,"outcome":"ok","exit_code":0,"signal":null,"user":"root","host":"web1","pid":812,` +
		`"command":["rsync","-a","\"x\"\u0009` + "\ufffd" + `"]}`
	if got := string(encode(t, &e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e = Entry{Name: "backup", Started: at, Ended: at, Outcome: Skipped, ExitCode: NoCode, User: "root", Host: "web1",
		HolderRun: 41, HolderPID: 812, HolderStarted: at}
	want = `{"name":"backup","run":0,"started_at":"2026-11-24T02:00:01.123Z","ended_at":"2026-11-24T02:00:01.123Z",` +
		`"seconds":0.000,"outcome":"skipped","exit_code":null,"signal":null,"user":"root","host":"web1","pid":0,` +
		`"holder_run":41,"holder_pid":812,"holder_started_at":"2026-11-24T02:00:01.123Z","command":[]}`
	if got := string(encode(t, &e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whatever is in it, the line is JSON, and read as what was written.
func TestEncodedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := rapid.Map(rapid.Int64Range(0, 1<<62), func(ns int64) time.Time {
			return time.Unix(0, ns).Truncate(time.Millisecond).UTC()
		})
		e := Entry{
			Name: rapid.StringMatching(`[a-z][a-z.:+@-]{0,127}`).Draw(t, "name"), Run: rapid.Uint64Range(1, 1<<62).Draw(t, "run"),
			Started: moment.Draw(t, "started"), Ended: moment.Draw(t, "ended"),
			Lasted:   rapid.Map(rapid.Int64Range(0, 1e12), func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }).Draw(t, "lasted"),
			Outcome:  rapid.SampledFrom(Outcomes()).Draw(t, "outcome"),
			ExitCode: rapid.IntRange(NoCode, 255).Draw(t, "code"), Signal: rapid.IntRange(0, 64).Draw(t, "signal"),
			User: rapid.StringN(0, 40, 100).Draw(t, "user"), Host: rapid.StringN(0, 64, 64).Draw(t, "host"), PID: rapid.IntRange(0, 1<<22).Draw(t, "pid"),
			Command: rapid.SliceOfN(rapid.String(), 0, 30).Draw(t, "command"),
		}
		if e.Outcome == Crashed {
			e.EndedBefore = moment.Filter(func(t time.Time) bool { return t.UnixNano() > 0 }).Draw(t, "before")
		}
		if e.Outcome == Skipped {
			e.Run, e.HolderRun, e.HolderPID = 0, rapid.Uint64().Draw(t, "holder"), rapid.IntRange(0, 1<<22).Draw(t, "holder's pid")
			e.HolderStarted = moment.Filter(func(t time.Time) bool { return t.UnixNano() > 0 }).Draw(t, "since")
		}
		var line [MaxLine]byte
		n := e.Encode(&line)
		if n > MaxLine || !json.Valid(line[:n]) || !utf8.Valid(line[:n]) {
			t.Fatalf("%q", line[:min(n, MaxLine)])
		}
		quick, ok := fast(line[:n-1])
		careful, ok2 := slow(line[:n-1])
		if !ok || !ok2 || !reflect.DeepEqual(quick, careful) {
			t.Fatalf("%v %+v\n%v %+v", ok, quick, ok2, careful)
		}
		got, _ := quick.Entry()
		if len(e.Command) > 0 && len(got.Command) > 0 && got.Command[len(got.Command)-1] == "…" {
			got.Command, e.Command = nil, nil
		}
		if len(got.Command) == 0 && len(e.Command) == 0 {
			got.Command, e.Command = nil, nil
		}
		if e.Signal > 0 && !strings.HasPrefix(got.SignalName, "SIG") {
			t.Fatalf("signal %d is %q", e.Signal, got.SignalName)
		}
		got.SignalName, got.Signal = "", e.Signal
		if !reflect.DeepEqual(got, e) {
			t.Fatalf("got  %+v\nwant %+v", got, e)
		}
	})
}

// A long command is cut, whatever it consists of.
func TestLongCommandIsCut(t *testing.T) {
	for range 2000 {
		var e Entry
		e.Name = strings.Repeat("n", 1+rand.IntN(128))
		for range rand.IntN(8) {
			e.Command = append(e.Command, strings.Repeat([]string{"a", "\x01", "é", "\xff"}[rand.IntN(4)], rand.IntN(1000)))
		}
		if line := encode(t, &e); !json.Valid(line) {
			t.Fatalf("%s", line)
		}
	}
	e := Entry{Command: []string{strings.Repeat("a", 1<<20)}}
	if line := string(encode(t, &e)); !strings.HasSuffix(line, `"command":["…"]}`) {
		t.Errorf("%s", line)
	}
	e = Entry{Command: []string{"a"}, Cut: true}
	if line := string(encode(t, &e)); !strings.HasSuffix(line, `"command":["a","…"]}`) {
		t.Errorf("%s", line)
	}
}

func TestCivil(t *testing.T) {
	for day := int64(0); day < 366*600; day++ {
		want := time.Unix(day*86400, 0).UTC()
		if y, m, d := civil(day); int(y) != want.Year() || m != uint64(want.Month()) || int(d) != want.Day() {
			t.Fatalf("day %d: %d-%d-%d, not %v", day, y, m, d, want)
		}
	}
}

func TestRuneLength(t *testing.T) {
	for range 1_000_000 {
		b := make([]byte, 1+rand.IntN(5))
		for i := range b {
			b[i] = byte(rand.IntN(256))
			if i > 0 {
				b[i] = 0x7e + byte(rand.IntN(0x45)) // about what may follow
			}
		}
		b[0] |= 0x80
		want := 0
		if r, n := utf8.DecodeRune(b); r != utf8.RuneError || n > 1 {
			want = n
		}
		if got := runeLength(string(b)); got != want {
			t.Fatalf("%x: %d, not %d", b, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for sig := syscall.Signal(1); sig < 32; sig++ {
		if got, want := word(signalWords, int(sig)), strings.TrimPrefix(unix.SignalName(sig), "SIG"); got != want {
			t.Errorf("signal %d is %s, not %s", sig, got, want)
		}
	}
	if word(signalWords, 32) != "" || word(signalWords, 64) != "" || None.String() != "" || outcomes.String() != "" {
		t.Error("a word for what has none")
	}
	for _, o := range Outcomes() {
		if o.String() == "" || outcomeOf([]byte(o.String())) != o {
			t.Errorf("outcome %d is %q", o, o)
		}
	}
}
