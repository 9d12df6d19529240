package record

import (
	"bytes"
	"errors"
	"hash/crc32"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/proc"
	"github.com/sole-run/sole/internal/usual"
)

func sample() Record {
	return Record{
		Run:       42,
		Place:     proc.Place{Boot: proc.BootID([]byte("9f0f0d6e-3a53-4c5a-8c4e-6a4d1b2c3d4e")), PIDs: 4026531836},
		Holder:    proc.ID{PID: 812, Inode: 7341},
		Child:     proc.ID{PID: 813, Start: 998877},
		UID:       1000,
		Started:   time.Unix(1763941201, 123456789),
		Uptime:    72 * time.Hour,
		SkipsFrom: End,
		Method:    "flock",
		Cwd:       "/srv/data with blank",
		Command:   []string{"rsync", "-a", "", "a b", "line\nbreak", `back\slash`, "\xff\x00é"},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, state := range []State{Held, Free} {
		want := sample()
		b := want.Encode(nil, state)
		if len(b) != Size {
			t.Fatalf("%d bytes, want %d", len(b), Size)
		}
		got, s, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if s != state || !reflect.DeepEqual(got, want) {
			t.Errorf("state %d, got  %+v\nstate %d, want %+v", s, got, state, want)
		}
	}
}

func TestStateCanBeRewrittenAlone(t *testing.T) {
	r := sample()
	file := append(EncodeHeader(Header{Limit: 7}), r.Encode(nil, Held)...)
	copy(file[StateAt:], StateBytes(Free))
	if _, s, err := Decode(file[HeaderSize:]); err != nil || s != Free {
		t.Fatalf("state %d, %v", s, err)
	}
	if h, err := DecodeHeader(file); err != nil || h.Limit != 7 {
		t.Fatalf("header %+v, %v", h, err)
	}
}

func TestLongCommandIsCut(t *testing.T) {
	for _, tc := range []struct {
		words []string
		cwd   string
	}{
		{[]string{strings.Repeat("x", 100_000)}, "/"},
		{[]string{strings.Repeat("\n", 100_000), "b"}, strings.Repeat("\n", 5000)},
		{strings.Split(strings.Repeat("word ", 5000), " "), "/"},
		{[]string{"sh", "-c", strings.Repeat("é", 900), "tail"}, "/"},
	} {
		r := sample()
		r.Command, r.Cwd = tc.words, tc.cwd
		b := r.Encode(nil, Held)
		if len(b) != Size {
			t.Fatalf("%d bytes, want %d", len(b), Size)
		}
		got, _, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Command) + got.Omitted; n != len(tc.words) {
			t.Errorf("%d words and %d omitted of %d", len(got.Command), got.Omitted, len(tc.words))
		}
		if !got.Cut && got.Omitted == 0 {
			t.Error("neither cut nor omitted")
		}
		for i, w := range got.Command {
			if !strings.HasPrefix(tc.words[i], w) {
				t.Errorf("word %d is %q", i, w)
			}
		}
	}
}

// A reader that meets a writer sees some bytes of each record. It must not believe it.
func TestTornRecordIsDamaged(t *testing.T) {
	a, b := sample(), sample()
	b.Run, b.Holder.PID = 43, 9999
	x, y := a.Encode(nil, Held), b.Encode(nil, Held)
	torn := 0
	for cut := 1; cut < Size; cut++ {
		mixed := append(bytes.Clone(x[:cut]), y[cut:]...)
		if bytes.Equal(mixed, x) || bytes.Equal(mixed, y) {
			continue
		}
		torn++
		if _, _, err := Decode(mixed); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	if torn == 0 {
		t.Fatal("nothing was torn")
	}
}

func TestForeignContents(t *testing.T) {
	r := sample()
	newer := bytes.Replace(r.Encode(nil, Held), []byte("sole-record 1 "), []byte("sole-record 2 "), 1)
	for _, tc := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrEmpty},
		{"a hole", make([]byte, Size), ErrEmpty},
		{"short", r.Encode(nil, Held)[:Size-1], ErrDamaged},
		{"a pid file", []byte("812\n"), ErrDamaged},
		{"noise", bytes.Repeat([]byte{0xa5}, Size), ErrDamaged},
		{"newer", newer, ErrNewer},
	} {
		if _, _, err := Decode(tc.b); err != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	if _, err := DecodeHeader(bytes.Replace(EncodeHeader(Header{}), []byte("lock 1"), []byte("lock 9"), 1)); err != ErrNewer {
		t.Errorf("newer header: %v", err)
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	full := Header{Limit: 1<<63 - 1, Shared: 1<<63 - 1}
	copy(full.Boot[:], "01234567-89ab-cdef-0123-456789abcdef")
	for range usual.Size {
		full.Lasted.Add(usual.Longest)
	}
	short := Header{Limit: 7}
	short.Lasted.Add(0)
	short.Lasted.Add(1234 * time.Millisecond)
	for _, h := range []Header{{}, {Limit: 7}, short, full} {
		b := EncodeHeader(h)
		if got, err := DecodeHeader(b); err != nil || got != h || len(b) != HeaderSize {
			t.Errorf("%s\n%+v, %v", b, got, err)
		}
	}
	for _, line := range []string{
		"lasted", "lasted ", "lasted 1 ", "lasted  1", "lasted 1 x", "lasted -1", "lasted 100000000000",
		"lasted" + strings.Repeat(" 1", usual.Size+1), "lasted 1\nlasted 1", "shared 1\nlasted 1",
	} {
		text := "sole-lock 1\nlimit 1\n" + line + "\n"
		b := []byte(text + strings.Repeat(" ", HeaderSize-1-len(text)) + "\n")
		if _, err := DecodeHeader(b); err != ErrDamaged {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := sample()
	f.Add(r.Encode(nil, Held))
	f.Add(EncodeHeader(Header{Limit: 1}))
	f.Add([]byte("sole-lock 1\nlimit 1\nlasted 1 2\n"))
	f.Add([]byte("sole-record 1 held crc32=00000000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = DecodeHeader(b)
		got, s, err := Decode(b)
		if err != nil {
			return
		}
		again, s2, err := Decode(got.Encode(nil, s))
		if err != nil || s2 != s {
			t.Fatalf("does not come back: %v", err)
		}
		if again.Run != got.Run || again.Holder != got.Holder || again.Child != got.Child {
			t.Fatalf("%+v\n%+v", again, got)
		}
	})
}

// sealed is a record with that body and the checksum that belongs to it.
func sealed(body []byte) []byte {
	var page [Size]byte
	copy(page[:], firstLine)
	for i := bodyAt; i < Size; i++ {
		page[i] = ' '
	}
	page[Size-1] = '\n'
	copy(page[bodyAt:], body)
	seal(&page, crc32.ChecksumIEEE(page[bodyAt:]))
	return page[:]
}

// A record whose checksum is right need not be one: a line in a wrong place once had it read
// for ever.
func TestLinesInWrongPlaces(t *testing.T) {
	r := sample()
	whole := r.Encode(nil, Held)
	body, _, _ := bytes.Cut(whole[bodyAt:], []byte("\nend\n"))
	lines := strings.Split(string(body), "\n")
	for at := range len(lines) + 1 {
		for _, line := range []string{"arg y", "cut y", "more 1", "unmarked", "replaced 1", "end", "", "x"} {
			moved := slices.Insert(slices.Clone(lines), at, line)
			b := sealed([]byte(strings.Join(append(moved, "end\n"), "\n")))
			// Some of these are records, too; what matters is that it ends.
			if _, _, err := Decode(b); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%q before line %d: %v", line, at, err)
			}
			Scan(b)
		}
	}
}

func FuzzSealed(f *testing.F) {
	r := sample()
	f.Add(r.Encode(nil, Held)[bodyAt:])
	f.Fuzz(func(t *testing.T, body []byte) {
		b := sealed(body)
		got, s, err := Decode(b)
		numbers, _, texts, fault := Scan(b)
		if err != nil {
			return
		}
		if fault != Sound || numbers.Run != got.Run || len(texts.rest) == 0 {
			t.Fatalf("the early reader: fault %d, %+v", fault, numbers)
		}
		if again, _, err := Decode(got.Encode(nil, s)); err != nil || again.Run != got.Run {
			t.Fatalf("does not come back: %v", err)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("sh", "-c", "/tmp", uint64(7))
	f.Fuzz(func(t *testing.T, a, b, cwd string, run uint64) {
		r := sample()
		r.Command, r.Cwd, r.Run = []string{a, b}, cwd, run>>1
		got, _, err := Decode(r.Encode(nil, Held))
		if err != nil || got.Run != r.Run {
			t.Fatalf("%v: run %d of %d", err, got.Run, r.Run)
		}
		if !got.Cut && got.Omitted == 0 && !reflect.DeepEqual(got.Command, r.Command) {
			t.Fatalf("%q became %q", r.Command, got.Command)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	r := sample()
	buf := make([]byte, 0, Size)
	b.ReportAllocs()
	for b.Loop() {
		r.Encode(buf[:0], Held)
	}
}

func BenchmarkDecode(b *testing.B) {
	r := sample()
	buf := r.Encode(nil, Held)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = Decode(buf)
	}
}
