//go:build linux && (amd64 || arm64)

package early

import "unsafe"

const passwdFile = "/etc/passwd\x00"

// passwd finds the user in /etc/passwd. The strings are valid until now.file is used again.
func passwd(uid uint32) (user, home string, ok bool) {
	b, errno := readFile(cstring(passwdFile))
	if errno != 0 {
		return "", "", false
	}
	return findUser(b, uid)
}

// findUser finds the user, if the lines up to it are of the usual form.
func findUser(b []byte, uid uint32) (user, home string, ok bool) {
	for len(b) > 0 {
		end := index(b, '\n')
		if end < 0 {
			return "", "", false
		}
		var f [7][]byte // name:password:uid:gid:comment:home:shell
		n, from := 0, 0
		for i := 0; i <= end; i++ {
			if i == end || b[i] == ':' {
				if n == len(f) {
					return "", "", false
				}
				f[n] = b[from:i]
				n, from = n+1, i+1
			}
		}
		id, number := decimal(f[2])
		_, group := decimal(f[3])
		if n != len(f) || !number || !group || len(f[0]) == 0 || !letter(f[0][0]) ||
			len(f[2]) > 1 && f[2][0] == '0' || index(b[:end], 0) >= 0 {
			return "", "", false
		}
		if id == uint64(uid) {
			return str(f[0]), str(f[5]), true
		}
		b = b[end+1:]
	}
	return "", "", false
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func index(b []byte, c byte) int {
	for i, at := range b {
		if at == c {
			return i
		}
	}
	return -1
}

func decimal(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}
