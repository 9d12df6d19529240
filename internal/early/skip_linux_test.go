//go:build linux && (amd64 || arm64)

package early

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/fixed"
	"github.com/sole-run/sole/internal/record"
)

// A holder is named only from a record that the ordinary code takes for whole.
func TestCommandOfOddRecord(t *testing.T) {
	r := record.Record{Started: time.Unix(1, 0), Method: "flock", Cwd: "/", Command: []string{"a", "b c"}}
	whole := r.Encode(nil, record.Held)
	from := bytes.IndexByte(whole, '\n') + 1
	end := bytes.Index(whole, []byte("\nend\n"))
	said := 0
	for _, c := range [][2]string{
		{"", ""}, {"cwd /\n", "cwd \n"}, {"cwd /\n", "cwd \\\n"}, {"cwd /\n", "cwd\n"}, {"cwd /\n", ""}, {"cwd /\n", "cwd /\ncwd /\n"},
		{"arg a\n", ""}, {"arg a\n", "arg \n"}, {"arg a\n", "arg\n"}, {"arg a\n", "arg \\x4\n"}, {"arg a\n", "cut a\n"}, {"arg a\n", "more 1\n"},
		{"\nend\n", "\nend \n"}, {"\nend\n", "\nend x\n"}, {"\nend\n", "\nend\nx"}, {"\nend\n", "\n"}, {"\nend\n", "\n\nend\n"},
		{"method flock\n", ""}, {"method flock\n", "method x\n"}, {"method flock\n", "method flock\nunmarked\n"},
	} {
		body := strings.Replace(string(whole[from:end])+"\nend\n", c[0], c[1], 1)
		page := fmt.Appendf(nil, "%s%-*s\n", whole[:from], record.Size-from-1, body)
		copy(page[from-9:], fmt.Sprintf("%08x", crc32.ChecksumIEEE(page[from:])))
		_, _, err := record.Decode(page)
		_, _, texts, fault := record.Scan(page)
		w := fixed.Writer{B: now.line[:]}
		ok := fault == record.Sound && command(&w, &texts)
		if ok && err != nil {
			t.Errorf("%q for %q: said %q, but %v", c[1], c[0], now.line[:w.N], err)
		}
		if ok {
			said++
		}
	}
	if said != 8 {
		t.Errorf("%d were said", said)
	}
}
