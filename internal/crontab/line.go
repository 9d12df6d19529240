package crontab

import "strings"

const blanks = " \t"

// read says what kind of line it is, and takes a job apart.
func (l *Line) read(o Options) {
	body := strings.TrimSuffix(l.raw, "\n")
	text := strings.TrimLeft(body, blanks)
	switch {
	case strings.Trim(text, blanks+"\r") == "":
		l.Kind = Blank
		return
	case text[0] == '#':
		l.Kind = Comment
		return
	case isSetting(body):
		l.Kind = Setting
		return
	}
	l.Kind, l.State = Strange, Unknown
	if strings.IndexByte(body, 0) >= 0 {
		l.Remark = "it has a NUL byte"
		return
	}
	rest := text
	if l.Schedule, rest = schedule(text); l.Schedule == "" {
		l.Remark = "it is no line of a crontab as far as sole knows"
		return
	}
	if o.System {
		if l.User, rest = cut(rest); !isUser(l.User) {
			l.Remark = "there is no user between schedule and command, as a system crontab has it"
			return
		}
	}
	rest = l.options(rest)
	l.start = len(body) - len(rest)
	l.Command = command(rest)
	if strings.Trim(l.Command, blanks+"\r") == "" {
		l.Remark = "it has no command"
		return
	}
	l.Kind = Job
	if l.Guard == "" {
		l.State = "" // until it is looked at
	}
	if len(body) == len(l.raw) {
		l.remark("there is no newline at its end, without which cron does not take it")
	}
	if strings.HasSuffix(l.Command, "\r") {
		l.remark("it ends with a carriage return, which is part of the command")
	}
}

// options takes what the crons of FreeBSD and OpenBSD allow before a command.
func (l *Line) options(text string) string {
	for {
		word, rest := cut(text)
		if len(word) < 2 || word[0] != '-' || strings.Trim(word[1:], "nqs") != "" {
			return text
		}
		if strings.Contains(word, "s") {
			l.State, l.Guard = Guarded, "cron -s"
			l.Remark = "left alone: cron itself starts only one"
		}
		text = rest
	}
}

// cut takes the first word off text, and the blanks behind it.
func cut(text string) (word, rest string) {
	i := strings.IndexAny(text, blanks)
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], blanks)
}

// command is text up to the first % without a backslash: what follows is the command's
// standard input. A backslash guards any one byte behind it.
func command(text string) string {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '%':
			return text[:i]
		}
	}
	return text
}

// isSetting reports whether cron takes the line for NAME=value. A name may be quoted, and
// there may be blanks around the sign.
func isSetting(body string) bool {
	text := strings.TrimLeft(body, blanks)
	if q := text[0]; q == '"' || q == '\'' {
		i := strings.IndexByte(text[1:], q)
		return i >= 0 && strings.HasPrefix(strings.TrimLeft(text[i+2:], blanks), "=")
	}
	i := strings.IndexAny(text, blanks+"=")
	return i > 0 && strings.HasPrefix(strings.TrimLeft(text[i:], blanks), "=")
}

// setting takes a line apart for which isSetting holds.
func setting(raw string) (name, value string) {
	name, value, _ = strings.Cut(strings.TrimRight(raw, "\r\n"), "=")
	return unquote(strings.Trim(name, blanks)), unquote(strings.Trim(value, blanks))
}

func unquote(s string) string {
	if n := len(s); n > 1 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : n-1]
	}
	return s
}

// isUser takes what a user may be called, with FreeBSD's group and login class behind it.
func isUser(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '_' && (i == 0 || strings.IndexByte("-.@$:/+\\", c) < 0) {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
