package cli

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sole-run/sole/internal/history"
)

// writeHistory is a name's history, as sole would have written it.
func writeHistory(t testing.TB, dir, name string, entries []history.Entry) {
	t.Helper()
	var all []byte
	var line [history.MaxLine]byte
	for i := range entries {
		e := &entries[i]
		e.Name = name
		all = append(all, line[:e.Encode(&line)]...)
	}
	must(t, os.WriteFile(filepath.Join(dir, name+".history"), all, 0o600))
}

// job is how the entries of a history are made up.
type job struct {
	first   time.Time
	every   time.Duration
	takes   time.Duration
	command []string
	chance  *rand.Rand
	run     uint64
}

func newJob(first time.Time, every, takes time.Duration, words ...string) *job {
	return &job{first: first, every: every, takes: takes, command: words, chance: rand.New(rand.NewPCG(1, uint64(len(words[0]))))}
}

// entries are so many starts: most succeed, some fail in one way or another, and when a run takes too
// long the next ones are skipped.
func (j *job) entries(n int) (all []history.Entry) {
	var busy time.Time
	var holder history.Entry
	for i := range n {
		at := j.first.Add(time.Duration(i) * j.every).Add(time.Duration(j.chance.IntN(900)) * time.Millisecond)
		e := history.Entry{Started: at, Ended: at, User: "root", Host: "web1", PID: 1000 + i, Command: j.command, ExitCode: history.NoCode}
		if at.Before(busy) {
			e.Outcome, e.HolderRun, e.HolderPID, e.HolderStarted = history.Skipped, holder.Run, holder.PID, holder.Started
			all = append(all, e)
			continue
		}
		j.run++
		e.Run = j.run
		e.Lasted = time.Duration(float64(j.takes) * (0.8 + 0.4*j.chance.Float64() + float64(i)/float64(n)/3))
		j.outcome(&e)
		e.Ended = at.Add(e.Lasted)
		if e.Outcome == history.Crashed {
			e.EndedBefore = e.Ended.Add(time.Minute)
		}
		busy, holder = e.Ended, e
		all = append(all, e)
	}
	return all
}

func (j *job) outcome(e *history.Entry) {
	e.Outcome, e.ExitCode = history.OK, 0
	switch j.chance.IntN(60) {
	case 0:
		e.Outcome, e.ExitCode, e.Lasted = history.Failed, 1+j.chance.IntN(3), e.Lasted/7
	case 1:
		e.Outcome, e.ExitCode, e.Signal = history.Signaled, history.NoCode, 11
	case 2:
		e.Lasted = j.every*2 + j.takes
	case 3:
		e.Outcome, e.ExitCode, e.Lasted = history.TimedOut, history.NoCode, 2*e.Lasted
	case 4:
		e.Outcome, e.ExitCode = history.Crashed, history.NoCode
	case 5:
		e.Outcome, e.ExitCode = history.Replaced, history.NoCode
	}
}
