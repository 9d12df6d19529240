package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sole-run/sole"
	"github.com/sole-run/sole/internal/usual"
)

// event is what --notify tells about. Its fields are the JSON on the standard input of the command,
// and as SOLE_… in its environment.
type event struct {
	Event     string    `json:"event"`
	Message   string    `json:"message"` // all in one sentence
	Name      string    `json:"name"`
	Run       uint64    `json:"run"` // of a skip that of the holder
	Outcome   string    `json:"outcome"`
	ExitCode  *int      `json:"exit_code"`
	Signal    string    `json:"signal"`
	StartedAt time.Time `json:"started_at"` // of a skip when it was asked for
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Seconds   float64   `json:"seconds"`
	Usual     float64   `json:"usual_seconds"`
	P95       float64   `json:"p95_seconds"`
	InRow     int64     `json:"skips_in_row"`
	User      string    `json:"user"`
	Host      string    `json:"host"`
	Command   []string  `json:"command"`
	// Holder is who is in the way of a skip.
	Holder *sole.Status `json:"holder,omitempty"`

	dir string // of --dir, "" for none
}

// environment is that of this process with the facts, and without what it says of other runs.
func (e *event) environment() []string {
	env := make([]string, 0, 64)
	for _, v := range os.Environ() {
		if !hasPrefix(v, "SOLE_") || hasPrefix(v, "SOLE_DIR=") && e.dir == "" || hasPrefix(v, historyVar) {
			env = append(env, v)
		}
	}
	add := func(key, value string) { env = append(env, "SOLE_"+key+"="+fitting(value)) }
	seconds := func(key string, s float64) { add(key, strconv.FormatFloat(s, 'f', 3, 64)) }
	if e.dir != "" {
		add("DIR", e.dir)
	}
	add("EVENT", e.Event)
	add("MESSAGE", e.Message)
	add("NAME", e.Name)
	add("RUN", strconv.FormatUint(e.Run, 10))
	add("OUTCOME", e.Outcome)
	code := ""
	if e.ExitCode != nil {
		code = strconv.Itoa(*e.ExitCode)
	}
	add("EXIT_CODE", code)
	add("SIGNAL", e.Signal)
	add("STARTED_AT", e.StartedAt.Format(time.RFC3339Nano))
	ended := ""
	if !e.EndedAt.IsZero() {
		ended = e.EndedAt.Format(time.RFC3339Nano)
	}
	add("ENDED_AT", ended)
	seconds("SECONDS", e.Seconds)
	seconds("USUAL_SECONDS", e.Usual)
	seconds("P95_SECONDS", e.P95)
	add("SKIPS_IN_ROW", strconv.FormatInt(e.InRow, 10))
	add("USER", e.User)
	add("HOST", e.Host)
	add("COMMAND", words(e.Command, 0))
	pid := ""
	if e.Holder != nil {
		if pid = strconv.Itoa(max(e.Holder.PID, 0)); e.Holder.PID <= 0 {
			pid = strconv.Itoa(e.Holder.ChildPID)
		}
	}
	add("HOLDER_PID", pid)
	return env
}

// longestValue is the most that a variable says; the kernel refuses strings of 128 KiB. The JSON says all.
const longestValue = 16 << 10

// fitting is as much of a value as a variable may have, without the byte that ends it.
func fitting(v string) string {
	v = strings.ReplaceAll(v, "\x00", "")
	if len(v) <= longestValue {
		return v
	}
	cut := longestValue
	for cut > longestValue-utf8.UTFMax && !utf8.RuneStart(v[cut]) {
		cut--
	}
	return v[:cut] + "…"
}

// notifier runs the command of --notify, once an event. The zero value does nothing.
type notifier struct {
	command string
	dir     string // that it finds the same names in, "" for the usual one
	running []int  // children of this process
}

// newEvent is an event of a run or start that began then.
func newEvent(word, n string, began time.Time, argv []string) *event {
	host, _ := os.Hostname()
	return &event{
		Event: word, Name: n, StartedAt: began, User: userName(), Host: host, Command: argv,
	}
}

// input is the JSON.
func (e *event) input() []byte {
	if e.Command == nil {
		e.Command = []string{}
	}
	if e.Holder != nil {
		h := tidy(*e.Holder)
		e.Holder = &h
	}
	b, err := json.Marshal(e)
	if err != nil { // there is nothing in it that could not be said
		panic(err)
	}
	return append(b, '\n')
}

// usual fills in how long the runs usually take.
func (e *event) usual(p50, p95 time.Duration) { e.Usual, e.P95 = p50.Seconds(), p95.Seconds() }

// runMessage is the sentence on a run that ended.
func (e *event) runMessage(lasted time.Duration, limit string) string {
	after := usual.Words(lasted)
	switch {
	case e.Event == "timeout":
		return fmt.Sprintf("%s ran longer than %s and was ended", e.Name, limit)
	case e.Event == "replaced":
		return fmt.Sprintf("%s was ended after %s for a newer start", e.Name, after)
	case e.ExitCode != nil:
		return fmt.Sprintf("%s failed after %s with exit code %d", e.Name, after, *e.ExitCode)
	case e.Signal != "":
		return fmt.Sprintf("%s was killed by %s after %s", e.Name, e.Signal, after)
	}
	return fmt.Sprintf("%s failed after %s", e.Name, after)
}
