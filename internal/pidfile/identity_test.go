package pidfile

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/sole-run/sole/internal/proc"
)

func sample() identity {
	id := identity{
		uid:     1000,
		holder:  proc.ID{PID: 811, Inode: 97901},
		command: proc.ID{PID: 812, Start: 8312014},
		lock:    Lock{Path: "/var/lib/sole/a b.lock", Dev: 2049, Ino: 1 << 63, Mark: 0},
		files:   []stamp{{2049, 55, 1700000000123456789}, {2049, 56, -1}},
	}
	id.place.PIDs = 4026531836
	copy(id.place.Boot[:], "f2c5a1d0-0000-4000-8000-000000000000")
	return id
}

func TestIdentityRoundTrip(t *testing.T) {
	bare := sample()
	bare.command, bare.lock, bare.files = proc.ID{}, Lock{}, nil
	for _, want := range []identity{sample(), bare} {
		b := want.encode()
		// What is left of a longer one that was there before does not matter.
		got, err := decode(append(b, "file 1:2:3\n"...))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%+v, %v", b, got, err)
		}
	}
	long := sample()
	long.lock.Path = "/" + strings.Repeat("x", 5000)
	if b := long.encode(); len(b) > maxIdentity {
		t.Errorf("%d bytes", len(b))
	}
}

// Each change of a byte, and each truncation, is noticed.
func TestDamagedIdentityIsNone(t *testing.T) {
	id := sample()
	b := id.encode()
	for i := range b {
		if _, err := decode(b[:i]); err == nil {
			t.Errorf("cut at %d passes", i)
		}
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if got, err := decode(bad); err == nil && !reflect.DeepEqual(got, id) {
			t.Errorf("byte %d changed: %+v", i, got)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	id := sample()
	f.Add(id.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(id.encode())
		if err != nil || !reflect.DeepEqual(again, id) {
			t.Fatalf("%+v: %+v, %v", id, again, err)
		}
	})
}

func TestContent(t *testing.T) {
	for text, want := range map[string]content{
		"812\n":                     {812, true},
		"812":                       {812, false},
		"       812\n":              {812, true},
		"812 \r\n/usr/sbin/other\n": {812, true},
		"4194304\n":                 {4194304, true},
	} {
		if c, problem := parseContent([]byte(text)); c != want || problem != "" {
			t.Errorf("%q: %+v, %s", text, c, problem)
		}
	}
	for _, text := range []string{
		"", "\n", "0\n", "-1\n", "+1\n", "4194305\n", "99999999999999999999\n", "812x\n", "x\n", "8 12\n",
		"\x00\x00\x00\x00", "812\x00\n", "\n812\n", "0x10\n", "1e3\n", strings.Repeat("8", 5000), "1\n" + strings.Repeat("x", maxContent),
	} {
		if c, problem := parseContent([]byte(text)); problem == "" {
			t.Errorf("%.20q passes for %+v", text, c)
		}
	}
}
