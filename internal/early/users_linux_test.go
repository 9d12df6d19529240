//go:build linux && (amd64 || arm64)

package early

import "testing"

// Only what everybody reads alike is read here: the home directory decides where names are.
func TestFindUser(t *testing.T) {
	const root = "root:x:0:0:root:/root:/bin/sh\n"
	for _, c := range []struct {
		file, user, home string
	}{
		{root + "a:x:7:7:A,,:/home/a:/bin/sh\n", "a", "/home/a"},
		{root + "a:x:7:7::/home/a:\nb:x:7:7::/home/b:\n", "a", "/home/a"},
		{root + "_a-1.b$:x:7:7::/home/a:/bin/sh\n", "_a-1.b$", "/home/a"},
		{root + "a:x:7:7:::\n", "a", ""},
		{root, "", ""},
		{"", "", ""},
		{root + "a:x:7:7:A:/home/a:/bin/sh", "", ""}, // no newline: still being written
		{root + "a:x:07:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "a:x:7:g:A:/home/a:/bin/sh\n", "", ""},
		{root + "a:x:7::A:/home/a:/bin/sh\n", "", ""},
		{root + "a:x:+7:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "a:x:4294967303:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "a:x:7:7:A:/home/a\n", "", ""},
		{root + "a:x:7:7:A:/home/a:/bin/sh:\n", "", ""},
		{root + "a:x:7:7:A:/ho\x00me:/bin/sh\n", "", ""},
		{root + ":x:7:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "+a:x:7:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "#\na:x:7:7:A:/home/a:/bin/sh\n", "", ""},
		{root + "\na:x:7:7:A:/home/a:/bin/sh\n", "", ""},
		{root + " a:x:7:7:A:/home/a:/bin/sh\n", "", ""},
		{"+::::::\na:x:7:7:A:/home/a:/bin/sh\n", "", ""},
	} {
		user, home, ok := findUser([]byte(c.file), 7)
		if user != c.user || home != c.home || ok != (c.user != "") {
			t.Errorf("%q: %q, %q, %v", c.file, user, home, ok)
		}
	}
}
