package record

import (
	"bytes"
	"errors"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/proc"
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

func FuzzDecode(f *testing.F) {
	r := sample()
	f.Add(r.Encode(nil, Held))
	f.Add(EncodeHeader(Header{Limit: 1}))
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

// sealed is a record with that body and its checksum.
func sealed(body []byte) []byte {
	page := [Size]byte(bytes.Repeat([]byte{' '}, Size))
	copy(page[:], firstLine)
	copy(page[bodyAt:], body)
	page[Size-1] = '\n'
	seal(&page, crc32.ChecksumIEEE(page[bodyAt:]))
	return page[:]
}

// What is wrong behind a right checksum is damaged too, each line left out, twice or elsewhere.
func TestMalformedRecordIsDamaged(t *testing.T) {
	r := sample()
	body := r.Encode(nil, Held)[bodyAt:]
	lines := strings.SplitAfter(string(body[:bytes.Index(body, []byte("end\n"))+len("end\n")]), "\n")
	for i := range lines[:9] {
		for _, put := range []string{"", lines[i] + lines[i], "arg x\n" + lines[i], "cut x\n" + lines[i], "more 1\n" + lines[i], "\n" + lines[i], "end\n" + lines[i]} {
			b := sealed([]byte(strings.Join(lines[:i], "") + put + strings.Join(lines[i+1:], "")))
			if _, _, err := Decode(b); !errors.Is(err, ErrDamaged) {
				t.Errorf("%q for %q: %v", put, lines[i], err)
			}
		}
	}
}

func FuzzSealed(f *testing.F) {
	r := sample()
	f.Add(r.Encode(nil, Held)[bodyAt:])
	f.Fuzz(func(t *testing.T, body []byte) {
		b := sealed(body)
		if got, s, err := Decode(b); err == nil {
			again, s2, err := Decode(got.Encode(nil, s))
			if err != nil || s2 != s || again.Run != got.Run {
				t.Fatalf("decoded %+v, then %+v, %v", got, again, err)
			}
		}
		want, wantState, err := DecodeNumbers(b)
		got, state, _, fault := Scan(b)
		if (err == nil) != (fault == Sound) || state != wantState || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, fault %d, want %+v, %v", got, fault, want, err)
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
