package crontab

import "strings"

// value is what a word says once its quotes are gone. What the shell would expand stays.
func value(raw string) string {
	if !strings.ContainsAny(raw, `\'"`) {
		return raw
	}
	var b strings.Builder
	double := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\'' && !double:
			n := strings.IndexByte(raw[i+1:], '\'')
			if n < 0 {
				return b.String() + raw[i:]
			}
			// cron has taken the backslash before a % away, whatever the quotes.
			b.WriteString(strings.ReplaceAll(raw[i+1:i+1+n], `\%`, `%`))
			i += n + 1
		case c == '"':
			double = !double
		case c == '\\' && i+1 < len(raw) && (!double || strings.IndexByte("$`\"\\%", raw[i+1]) >= 0):
			i++
			b.WriteByte(raw[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// literal reports whether the shell expands nothing in the word.
func literal(raw string) bool {
	double := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\'' && !double:
			i += 1 + strings.IndexByte(raw[i+1:], '\'')
		case c == '"':
			double = !double
		case c == '\\':
			i++
		case c == '$', c == '`':
			return false
		case !double && (strings.IndexByte("*?[{", c) >= 0 || c == '~'):
			return false
		}
	}
	return true
}

// plain reports whether the word is written without quotes and expansions.
func plain(raw string) bool { return !strings.ContainsAny(raw, "\\'\"$`*?[{~") }

// quote makes one word of s for shell and cron. s has no newline and no NUL.
func quote(s string) string {
	safe := func(r rune) bool {
		return r < 0x80 && (isAlnum(byte(r)) || strings.ContainsRune("-_./:=,@+", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	// For cron an even number of backslashes before a % would leave it unguarded. Nobody
	// has such a path, and a word of its own for each of these bytes is right for any.
	s = strings.ReplaceAll(s, "'", `'\''`)
	return "'" + strings.ReplaceAll(s, "%", `'\%'`) + "'"
}

// base is the last component of a path.
func base(s string) string {
	s = strings.TrimRight(s, "/")
	return s[strings.LastIndexByte(s, '/')+1:]
}
