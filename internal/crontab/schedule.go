package crontab

import "strings"

// special are the schedules of one word.
const special = " @reboot @yearly @annually @monthly @weekly @daily @midnight @hourly @every_minute @every_second "

// schedule takes the schedule off text. It is empty if there is none. The numbers are not
// looked at: cron does that.
func schedule(text string) (fields, rest string) {
	if text[0] == '@' {
		word, rest := cut(text)
		if strings.Contains(special, " "+strings.ToLower(word)+" ") || isNumber(word[1:]) {
			return word, rest
		}
		return "", text
	}
	rest = text
	for i := range 5 {
		var field string
		field, rest = cut(rest)
		if i == 0 && len(field) > 1 && field[0] == '-' { // do not log it, say SUSE and cronie
			field = field[1:]
		}
		if !isField(field, i) {
			return "", text
		}
	}
	return strings.Join(strings.FieldsFunc(text[:len(text)-len(rest)], func(r rune) bool { return r == ' ' || r == '\t' }), " "), rest
}

const (
	months = " jan feb mar apr may jun jul aug sep oct nov dec "
	days   = " sun mon tue wed thu fri sat "
)

// isField reports whether s can be field i: numbers, ranges, steps, a ~ for a random one, and
// in the last two fields names.
func isField(s string, i int) bool {
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' })
		if n < 0 {
			n = len(s)
		}
		if n == 0 {
			if strings.IndexByte("0123456789*,-/~", s[0]) < 0 {
				return false
			}
			s = s[1:]
			if s == "" {
				return true
			}
			continue
		}
		word := " " + strings.ToLower(s[:n]) + " "
		if !(i == 3 && strings.Contains(months, word) || i == 4 && strings.Contains(days, word)) {
			return false
		}
		if s = s[n:]; s == "" {
			return true
		}
	}
	return false
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
