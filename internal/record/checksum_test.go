package record

import (
	"hash/crc32"
	"reflect"
	"testing"
)

func TestChecksumIsTheOneOfIEEE(t *testing.T) {
	b := make([]byte, 0, 3000)
	for i := range 3000 {
		if got, want := checksum(b), crc32.ChecksumIEEE(b); got != want {
			t.Fatalf("%d bytes: %08x, want %08x", i, got, want)
		}
		b = append(b, byte(i*i>>3+7*i))
	}
}

// What is done before the Go runtime starts has to give the same as later.
func TestPlainIsTheSame(t *testing.T) {
	r := sample()
	for _, s := range []State{Held, Free} {
		var page [Size]byte
		r.EncodePlain(&page, s)
		if want := r.Encode(nil, s); string(want) != string(page[:]) {
			t.Fatalf("state %d:\n%q\nwant\n%q", s, page[:], want)
		}
		want, wantState, err := DecodeNumbers(page[:])
		got, state, texts, f := Scan(page[:])
		if err != nil || f != Sound || state != wantState || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, fault %d, want %+v, %v", got, f, want, err)
		}
		var keys []string
		for {
			key, _ := texts.Next()
			keys = append(keys, string(key))
			if string(key) == "end" || len(keys) > 99 {
				break
			}
		}
		if want := []string{"method", "cwd", "arg", "arg", "arg", "arg", "arg", "arg", "arg", "end"}; !reflect.DeepEqual(keys, want) {
			t.Errorf("texts %q, want %q", keys, want)
		}
	}
}
