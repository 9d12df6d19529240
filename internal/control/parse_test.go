package control

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestGreetingsThatAreNone(t *testing.T) {
	want := Greeting{Version: 1, Name: "a.b", PID: 7, Run: 1 << 63, Features: []string{"call", "x"}}
	got, err := ParseGreeting(want.String())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "sole-control", "sole-control 1", "sole-control 1 n 1", "sole-control 01 n 1 1", "sole-control 1 n -1 1",
		"sole-control 1 n 1 +1", "sole-control 1  1 1", "sole-control 1 n 1 1 ", "sole-control 2 n 1 1", "SSH-2.0-x",
		"sole-control 99999999999999999999 n 1 1", "sole-control 0 n 1 1",
	} {
		var e *ProtocolError
		if g, err := ParseGreeting(bad); !errors.As(err, &e) {
			t.Errorf("%q: %+v, %v", bad, g, err)
		}
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for _, bad := range []string{"", " ", "Status", "1x", "a_b", "-a", "do a%", "do %4", "do %zz", strings.Repeat("a", 33), "a " + strings.Repeat("b", MaxLine)} {
		if r, err := ParseRequest(bad); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
	r, err := ParseRequest(" do  a\tb%20c%0a ")
	if err != nil || r.Verb != "do" || !reflect.DeepEqual(r.Words, []string{"a", "b c\n"}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"status", "do open a%20b", "signal HUP", "\t x", "do %00", "do \xff", "a %C3%A4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := ParseRequest(line)
		if err != nil {
			return
		}
		if err := r.Check(); err != nil {
			if len(r.String()) < MaxLine {
				t.Fatalf("%q is taken and cannot be said: %v", line, err)
			}
			return // escaping made it longer
		}
		again, err := ParseRequest(r.String())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q: %+v became %+v, %v", line, r, again, err)
		}
	})
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{"arg 4\nopen\ngo in\nin 3\nabc\neof\n", "exit 0\n", "error busy x y\n", "out 0\n\n", "in 131073\n", "in 03\nabc\n", "go \n", "arg 3\nabcd"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := &reader{src: iotest.OneByteReader(bytes.NewReader(sent))}
		var again []byte
		for {
			frame, err := r.frame(nil)
			if err != nil {
				break
			}
			again = frame.append(again)
		}
		plain := bytes.ReplaceAll(sent, []byte("\r\n"), []byte("\n"))
		if !bytes.Contains(sent, []byte("\r\n")) && !bytes.HasPrefix(plain, again) {
			t.Fatalf("%q was read as %q", sent, again)
		}
		r2 := &reader{src: bytes.NewReader(again)}
		var third []byte
		for {
			frame, err := r2.frame(nil)
			if err != nil {
				if err != io.EOF {
					t.Fatalf("%q cannot be read again: %v", again, err)
				}
				break
			}
			third = frame.append(third)
		}
		if !bytes.Equal(third, again) {
			t.Fatalf("%q became %q", again, third)
		}
	})
}

func TestFramesAreBounded(t *testing.T) {
	for sent, want := range map[string]any{
		"in 131073\n":                         new(*ProtocolError),
		"in 3\nabcd\n":                        new(*ProtocolError),
		"in -1\n":                             new(*ProtocolError),
		"in\n":                                new(*ProtocolError),
		"go \n":                               new(*ProtocolError),
		"x y\x00z":                            io.ErrUnexpectedEOF,
		"in 3\nab":                            io.ErrUnexpectedEOF,
		strings.Repeat("x", MaxLine+1) + "\n": errTooLong,
	} {
		_, err := (&reader{src: strings.NewReader(sent)}).frame(nil)
		if target, ok := want.(error); ok && !errors.Is(err, target) || !ok && !errors.As(err, want) {
			t.Errorf("%.20q: %v", sent, err)
		}
	}
}

func TestAbstractAddressesAreBoundedAndDiffer(t *testing.T) {
	long := strings.Repeat("n", 128)
	seen := map[string]bool{}
	for _, a := range []Address{Abstract(0, "n"), Abstract(1, "n"), Abstract(0, long), Abstract(0, long[:127]), Abstract(1<<32-2, long)} {
		if len(a.String()) > maxPath || seen[a.String()] || !a.IsAbstract() {
			t.Errorf("%q", a)
		}
		seen[a.String()] = true
	}
	if At("@x").IsAbstract() {
		t.Error("a path that begins with @ is taken for an abstract name")
	}
}
