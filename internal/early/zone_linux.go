//go:build linux && (amd64 || arm64)

package early

import (
	"github.com/sole-run/sole/internal/fixed"
	"golang.org/x/sys/unix"
)

// zone is a time zone: the second, newer data block of a file as tzfile(5) has it. A
// zone of zeros is UTC.
type zone struct {
	times []byte // transition times, 8 bytes each
	kinds []byte // the type of each
	types []byte // the types, 6 bytes each
	rule  []byte // for later times, as the variable TZ
}

const (
	localtimeFile = "/etc/localtime\x00"
	zoneinfoDir   = "/usr/share/zoneinfo/"
)

// zone finds the local time zone as package time does, in the usual cases.
func (r *request) zone(z *zone) bool {
	path := cstring(localtimeFile)
	if r.tzGiven {
		name := r.tz
		if name != "" && name[0] == ':' {
			name = name[1:]
		}
		if name == "" || name == "UTC" {
			return true
		}
		if r.zoneinfoElse || name[0] == '/' || !setProgram(zoneinfoDir[:len(zoneinfoDir)-1], name) {
			return false
		}
		for i := range len(name) {
			if name[i] == '.' || name[i] == '\\' {
				return false
			}
		}
		path = &now.program[0]
	}
	b, errno := readFile(path)
	if errno == unix.ENOENT && !r.tzGiven {
		return true
	}
	return errno == 0 && z.parse(b)
}

const zoneHeader = 44

// counts reads the header: how many there are of what.
type counts struct{ utc, std, leaps, times, types, chars int }

func (c *counts) read(b []byte) bool {
	if len(b) < zoneHeader || string(b[:4]) != "TZif" || b[4] != '2' && b[4] != '3' {
		return false
	}
	n := [6]int{}
	for i := range n {
		v := bigEndian(b[20+4*i:], 4)
		if v > 4096 {
			return false
		}
		n[i] = int(v)
	}
	*c = counts{n[0], n[1], n[2], n[3], n[4], n[5]}
	return true
}

// size is that of the data block, with times of so many bytes.
func (c *counts) size(time int) int {
	return c.times*(time+1) + c.types*6 + c.chars + c.leaps*(time+4) + c.std + c.utc
}

func bigEndian(b []byte, n int) (v uint64) {
	for _, c := range b[:n] {
		v = v<<8 | uint64(c)
	}
	return v
}

func (z *zone) parse(b []byte) bool {
	var c counts
	if !c.read(b) || len(b) < zoneHeader+c.size(4) {
		return false
	}
	b = b[zoneHeader+c.size(4):]
	if !c.read(b) || len(b) < zoneHeader+c.size(8)+2 || c.types == 0 || c.leaps != 0 {
		return false
	}
	b = b[zoneHeader:]
	z.times, b = b[:8*c.times], b[8*c.times:]
	z.kinds, b = b[:c.times], b[c.times:]
	z.types = b[:6*c.types]
	b = b[6*c.types+c.chars+c.leaps*12+c.std+c.utc:]
	if b[0] != '\n' || b[len(b)-1] != '\n' {
		return false
	}
	z.rule = b[1 : len(b)-1]
	return z.sound(c.chars)
}

// sound reports whether the indexes are in range, as package time wants them, and the times
// in order, as its search does.
func (z *zone) sound(chars int) bool {
	for i, kind := range z.kinds {
		if 6*int(kind) >= len(z.types) || i > 0 && z.time(i) <= z.time(i-1) {
			return false
		}
	}
	for i := 5; i < len(z.types); i += 6 {
		if int(z.types[i]) >= chars {
			return false
		}
	}
	return true
}

func (z *zone) time(i int) int64 { return int64(bigEndian(z.times[8*i:], 8)) }

// offset is how many seconds local time is ahead of UTC at t.
func (z *zone) offset(t int64) (seconds int64, ok bool) {
	if z.types == nil {
		return 0, true
	}
	last := -1
	for i := range z.kinds {
		if z.time(i) > t {
			break
		}
		last = i
	}
	switch {
	case last == len(z.kinds)-1 && len(z.rule) > 0:
		return fixedRule(z.rule)
	case last < 0 && len(z.kinds) > 0:
		return 0, false // before all of them: there are rules of their own for that
	case last < 0:
		last = 0
	default:
		last = int(z.kinds[last])
	}
	return int64(int32(bigEndian(z.types[6*last:], 4))), true
}

// fixedRule reads a rule without summer time, such as CET-1 or <+0330>-3:30.
func fixedRule(rule []byte) (seconds int64, ok bool) {
	i := 0
	if rule[0] == '<' {
		for i < len(rule) && rule[i] != '>' {
			i++
		}
		i++
	} else {
		for i < len(rule) && letter(rule[i]) {
			i++
		}
	}
	if i < 3 || i >= len(rule) {
		return 0, false
	}
	sign := int64(-1)
	switch rule[i] {
	case '-':
		sign = 1
		i++
	case '+':
		i++
	}
	most := uint64(24 * 7)
	for unit := int64(3600); unit > 0; unit /= 60 {
		from := i
		for i < len(rule) && '0' <= rule[i] && rule[i] <= '9' {
			i++
		}
		n, number := decimal(rule[from:i])
		if !number || n > most {
			return 0, false
		}
		most = 59
		seconds += int64(n) * unit
		if i == len(rule) {
			return sign * seconds, true
		}
		if rule[i] != ':' {
			return 0, false
		}
		i++
	}
	return 0, false
}

// clockTime writes the local time t, with the date unless it is the present's.
func (z *zone) clockTime(w *fixed.Writer, t, present int64) bool {
	off, ok := z.offset(t)
	offNow, okNow := z.offset(present)
	t += off
	present += offNow
	if !ok || !okNow || t < 0 || present < 0 {
		return false
	}
	const day = 24 * 60 * 60
	if t/day != present/day {
		date(w, t/day)
		w.Byte(' ')
	}
	s := uint64(t % day)
	w.Padded(s/3600, 2)
	w.Byte(':')
	w.Padded(s/60%60, 2)
	w.Byte(':')
	w.Padded(s%60, 2)
	return true
}

// date writes the day, counted from 1970 on.
func date(w *fixed.Writer, day int64) {
	year := uint64(1970)
	for day >= days(year) {
		day -= days(year)
		year++
	}
	const months = "\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f" // their days
	month := 0
	for {
		length := int64(months[month])
		if month == 1 {
			length += days(year) - 365
		}
		if day < length {
			break
		}
		day -= length
		month++
	}
	w.Padded(year, 4)
	w.Byte('-')
	w.Padded(uint64(month+1), 2)
	w.Byte('-')
	w.Padded(uint64(day+1), 2)
}

// days is the length of a year.
func days(year uint64) int64 {
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 366
	}
	return 365
}

// lasting writes a duration in its two largest units, as cmd/sole's function of that name.
func lasting(w *fixed.Writer, s uint64) {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	switch {
	case s < minute:
		w.Number(s)
		w.Byte('s')
	case s < hour:
		w.Number(s / minute)
		w.Byte('m')
		w.Padded(s%minute, 2)
		w.Byte('s')
	case s < day:
		w.Number(s / hour)
		w.Byte('h')
		w.Padded(s%hour/minute, 2)
		w.Byte('m')
	default:
		w.Number(s / day)
		w.Byte('d')
		w.Number(s % day / hour)
		w.Byte('h')
	}
}
