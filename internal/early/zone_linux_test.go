//go:build linux && (amd64 || arm64)

package early

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/fixed"
)

// Local times are those of package time, in each zone that is not left to it.
func TestClockTime(t *testing.T) {
	moments := []int64{0, 1, 951782400 /* 2000-02-29 */, 1709164800, 1709251199, 1735689599, 1735689600, 1795490908, 2000000000, 4102444800}
	zones, asked, told := 0, 0, 0
	err := filepath.WalkDir("/usr/share/zoneinfo", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(b, []byte("TZif")) { // a link to a directory, or a list
			return nil
		}
		loc, err := time.LoadLocationFromTZData(path, b)
		var z zone
		if err != nil || len(b) >= len(now.file) || !z.parse(b) {
			return nil
		}
		zones++
		for m := time.Date(2023, 1, 1, 0, 30, 0, 0, time.UTC).Unix(); m < 1830000000; m += 70*86400 + 3600 {
			moments := append(moments[:len(moments):len(moments)], m)
			for _, at := range moments[len(moments)-1:] {
				asked++
				var buf [64]byte
				w := fixed.Writer{B: buf[:]}
				if !z.clockTime(&w, at, at+3*86400) {
					continue
				}
				told++
				want := time.Unix(at, 0).In(loc).Format("2006-01-02 15:04:05")
				if got := string(buf[:w.N]); got != want {
					return fmt.Errorf("%s, %d: got %s, want %s", path, at, got, want)
				}
			}
		}
		for _, at := range moments {
			var buf [64]byte
			w := fixed.Writer{B: buf[:]}
			if want := time.Unix(at, 0).In(loc).Format("2006-01-02 15:04:05"); z.clockTime(&w, at, at+2*86400) && string(buf[:w.N]) != want {
				return fmt.Errorf("%s, %d: got %s, want %s", path, at, buf[:w.N], want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if t.Logf("%d zones, %d of %d times told", zones, told, asked); zones > 0 && told == 0 {
		t.Error("all were left to package time")
	}
}

// Today's times have no date.
func TestClockTimeToday(t *testing.T) {
	for _, c := range []struct {
		at, present int64
		want        string
	}{
		{0, 86399, "00:00:00"}, {3661, 86399, "01:01:01"}, {86399, 86400, "1970-01-01 23:59:59"}, {0, 365 * 86400, "1970-01-01 00:00:00"},
	} {
		var buf [64]byte
		w := fixed.Writer{B: buf[:]}
		if ok := (&zone{}).clockTime(&w, c.at, c.present); !ok || string(buf[:w.N]) != c.want {
			t.Errorf("%d at %d: %q, want %q", c.at, c.present, buf[:w.N], c.want)
		}
	}
}

// A damaged zone file is never read past its end. What is told of one is what package time
// tells, which takes UTC where it refuses the file.
func TestZoneDamaged(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"} {
		b, err := os.ReadFile("/usr/share/zoneinfo/" + name)
		if err != nil {
			t.Skip(err)
		}
		for n := range b {
			sameOfDamaged(t, name, append([]byte(nil), b[:n]...))
			bad := append([]byte(nil), b...)
			for _, v := range []byte{0, 1, ' ', '<', '>', '-', '0', '4', '9', ':', 'A', '\n', 0x7f, 0xff} {
				bad[n] = v
				sameOfDamaged(t, fmt.Sprintf("%s, %d is %d", name, n, v), bad)
			}
		}
	}
}

func sameOfDamaged(t *testing.T, what string, b []byte) {
	t.Helper()
	var z zone
	if !z.parse(b) {
		return
	}
	loc, err := time.LoadLocationFromTZData(what, b)
	if err != nil {
		loc = time.UTC
	}
	for _, at := range []int64{3 * 86400, 951782400, 1709251199, 1795490908, 4102444800} {
		var buf [64]byte
		w := fixed.Writer{B: buf[:]}
		told := z.clockTime(&w, at, at+3*86400)
		if want := time.Unix(at, 0).In(loc).Format("2006-01-02 15:04:05"); told && string(buf[:w.N]) != want {
			t.Fatalf("%s, %d: got %s, want %s, %v", what, at, buf[:w.N], want, err)
		}
	}
}

func TestLasting(t *testing.T) {
	for s, want := range map[uint64]string{0: "0s", 59: "59s", 60: "1m00s", 3599: "59m59s", 3600: "1h00m", 86399: "23h59m", 86400: "1d0h", 90000: "1d1h"} {
		var buf [64]byte
		w := fixed.Writer{B: buf[:]}
		if lasting(&w, s); string(buf[:w.N]) != want {
			t.Errorf("%d: %s, want %s", s, buf[:w.N], want)
		}
	}
}
