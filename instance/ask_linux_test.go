package instance

import (
	"testing"

	"github.com/sole-run/sole/internal/control"
)

// ask sends a request of one line.
func ask(t *testing.T, dir, request string) string {
	t.Helper()
	c, err := control.Connect(soon(t), control.At(dir+"/n.sock"))
	must(t, err)
	defer c.Close()
	text, err := c.Ask(soon(t), request)
	must(t, err)
	return text
}
