package sole

import (
	"sync"
	"time"
)

// clock tells the uptime without asking the kernel each time, from Go's monotonic
// clock. That one stands still while the host is suspended, hence the refresh.
var clock bootClock

type bootClock struct {
	mu      sync.Mutex
	at      time.Time
	uptime0 time.Duration
}

func (c *bootClock) uptime(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := now.Sub(c.at)
	if c.at.IsZero() || since > time.Second || since < 0 {
		c.at, c.uptime0, since = now, uptime(), 0
	}
	return c.uptime0 + since
}
