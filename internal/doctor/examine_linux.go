package doctor

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// goodbye is how long a helper has to tidy up when its time is up.
const goodbye = time.Second

// Examine runs all checks, those that touch a filesystem at the same time. When ctx
// ends it returns ctx's error as soon as the files of its helpers are gone, at the latest after
// the timeout: then the filesystem hangs.
func Examine(ctx context.Context, o Options) ([]Result, error) {
	all := checks()
	results := make([]Result, len(all))
	done := make(chan struct{}, len(all))
	seats := make(chan struct{}, helpersAtOnce())
	for i, c := range all {
		if !c.apart {
			continue
		}
		go func() {
			seats <- struct{}{}
			results[i] = c.inHelper(ctx, o)
			<-seats
			done <- struct{}{}
		}()
	}
	for i, c := range all {
		if !c.apart {
			results[i] = c.named(o.Place)
			done <- struct{}{}
		}
	}
	for range all {
		<-done
	}
	return results, ctx.Err()
}

// helpersAtOnce is how many helpers there are descriptors for: each takes four, and
// seven for a moment while it is started.
func helpersAtOnce() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 1
	}
	return int(max(1, min(int64(min(l.Cur, 1<<20))-20, 4*64)/4))
}

// inHelper has a process of its own run the check, for as long as it may take.
func (c check) inHelper(ctx context.Context, o Options) Result {
	failed := func(r Result) Result {
		r.Name, r.Facts = c.name, map[string]string{}
		return r
	}
	h, err := startHelper()
	if err != nil {
		return failed(fail(System, "", "cannot start a helper process: %v", err))
	}
	answer := make(chan error, 1)
	var r Result
	go func() { answer <- h.ask(request{Check: c.name, Path: []byte(o.Path), By: o.By}, &r) }()
	timer := time.NewTimer(o.Timeout)
	defer timer.Stop()
	select {
	case err = <-answer:
		h.end(goodbye)
	case <-ctx.Done():
		h.end(o.Timeout)
		return failed(skip("interrupted"))
	case <-timer.C:
		h.end(goodbye)
		return failed(fail(System, "find out what hangs: a server that is away, or a stopped FUSE daemon; a start there hangs as well",
			"did not answer within %s", o.Timeout))
	}
	if err != nil {
		return failed(fail(System, "", "the helper process ended without a result: %v", err))
	}
	return r
}
