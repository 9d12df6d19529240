package control

import (
	"errors"
	"io"
	"strings"
	"time"
)

// session is one connection of a server.
type session struct {
	s    *Server
	conn *conn
	peer Peer
	r    reader

	// Guarded by s.mu.
	since     time.Time // when it began to wait for a request
	working   bool      // on a request; else it may be dismissed
	dismissed bool
}

// older returns whichever of the two has waited for longer, if it may be dismissed.
func (c *session) older(than *session) *session {
	if c.working || than != nil && than.since.Before(c.since) {
		return than
	}
	return c
}

// dismiss ends a session that is not working. s.mu is held.
func (c *session) dismiss(code Code, text string) {
	if !c.dismissed {
		c.dismissed = true
		c.conn.offer(errorLine(code, text))
		c.conn.shut()
	}
}

// serve answers one request after the other.
func (c *session) serve() {
	defer c.end()
	for c.await() {
		line, err := c.r.line()
		if err != nil {
			c.report(err)
			return
		}
		req, err := ParseRequest(line)
		if err != nil {
			c.report(err)
			return
		}
		if !c.answer(req) {
			return
		}
	}
}

// await makes the session one that waits for a request. It reports whether it goes on.
func (c *session) await() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.closing || c.dismissed {
		return false
	}
	if c.working { // a new one has waited since it was admitted
		c.working, c.since = false, time.Now()
		c.conn.readBy(c.since.Add(c.s.cfg.Limits.Request))
	}
	return true
}

// begin makes the session one that works, unless it was dismissed.
func (c *session) begin() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.closing || c.dismissed {
		return false
	}
	c.working = true
	return true
}

func (c *session) end() {
	_ = c.conn.Close()
	<-c.s.room
	c.s.mu.Lock()
	delete(c.s.conns, c)
	c.s.mu.Unlock()
	c.s.wg.Done()
}

// answer reports whether the session goes on.
func (c *session) answer(req Request) bool {
	call := c.s.cfg.Call
	if command := c.s.cfg.Commands[req.Verb]; command != nil {
		return c.command(command, req.Words)
	}
	switch {
	case req.Verb == "do" && call != nil:
		return c.do(req.Words)
	case req.Verb == "call" && call != nil && len(req.Words) == 0:
		c.call()
		return false
	case req.Verb == "call" && call != nil:
		c.report(&ProtocolError{"the words of a call are in its frames"})
		return false
	}
	return c.begin() && c.send(errorLine(Unknown, "no request "+quote(req.Verb)+" here"))
}

// send reports whether it was taken.
func (c *session) send(b []byte) bool {
	c.s.mu.Lock()
	limit := c.s.cfg.Limits.Write
	if c.s.closing {
		limit = min(limit, closingWrite)
	}
	c.conn.writeBy(time.Now().Add(limit))
	c.s.mu.Unlock()
	_, err := c.conn.Write(b)
	return err == nil
}

// report tells the client why its session ends.
func (c *session) report(err error) {
	var bad *ProtocolError
	var remote *RemoteError
	switch {
	case err == io.EOF:
	case errors.As(err, &remote):
		c.conn.offer(errorLine(remote.Code, remote.Text))
	case errors.As(err, &bad):
		c.conn.offer(errorLine(BadRequest, bad.Problem))
	case err == io.ErrUnexpectedEOF:
		c.conn.offer(errorLine(BadRequest, "it ends in the middle"))
	case err == errTooLong:
		c.conn.offer(errorLine(TooLarge, "the line is too long"))
	case isTimeout(err):
		c.conn.offer(errorLine(Slow, "the request did not come in time"))
	}
}

// errorLine is an answer that says what went wrong.
func errorLine(code Code, text string) []byte {
	rest := string(code)
	if text = strings.TrimSpace(oneLine(text)); text != "" {
		rest += " " + text
	}
	return Frame{Kind: errorFrame, Rest: rest}.append(nil)
}

// asError makes an answer of what a command or call returned.
func asError(err error) []byte {
	var remote *RemoteError
	if errors.As(err, &remote) {
		return errorLine(remote.Code, remote.Text)
	}
	return errorLine(Failed, err.Error())
}
