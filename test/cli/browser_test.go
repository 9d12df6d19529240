package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser is a headless Chromium that is spoken to by the DevTools protocol, over two pipes.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	last    int
	session string
	events  []event
}

// event is what the browser said without being asked.
type event struct {
	Method string
	Params json.RawMessage
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := need(t, "chromium", "chromium")
	profile, err := os.MkdirTemp("", "sole-browser-")
	must(t, err)
	inR, inW, err := os.Pipe()
	must(t, err)
	outR, outW, err := os.Pipe()
	must(t, err)
	c := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage",
		"--force-color-profile=srgb", "--remote-debugging-pipe", "--user-data-dir="+profile)
	c.Env = append(os.Environ(), "HOME="+profile)
	c.ExtraFiles = []*os.File{inR, outW} // 3 and 4
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	c.Stderr = &said
	must(t, c.Start())
	inR.Close()
	outW.Close()
	must(t, outR.SetReadDeadline(time.Now().Add(3*patience)))
	t.Cleanup(func() {
		inW.Close()
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // its helpers too; they are in its group
		_ = c.Wait()
		outR.Close()
		_ = os.RemoveAll(profile)
		if t.Failed() {
			t.Logf("the browser said: %s", said.String())
		}
	})
	b := &browser{t: t, to: inW, from: bufio.NewReaderSize(outR, 1<<20)}
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Accessibility"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Network.emulateNetworkConditions", map[string]any{"offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}, nil)
	return b
}

// call asks the browser, and fills in answer.
func (b *browser) call(method string, params, answer any) {
	b.t.Helper()
	b.last++
	request := map[string]any{"id": b.last, "method": method}
	if params != nil {
		request["params"] = params
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	text, err := json.Marshal(request)
	must(b.t, err)
	_, err = b.to.Write(append(text, 0))
	must(b.t, err)
	for {
		m := b.message()
		if m.ID != b.last {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		if answer != nil {
			must(b.t, json.Unmarshal(m.Result, answer))
		}
		return
	}
}

// message is what the browser says next; an event is kept.
func (b *browser) message() (m struct {
	ID            int
	Method        string
	Params        json.RawMessage
	Result, Error json.RawMessage
}) {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	must(b.t, err)
	must(b.t, json.Unmarshal(text[:len(text)-1], &m))
	if m.Method != "" {
		b.events = append(b.events, event{m.Method, m.Params})
	}
	return m
}

// open loads a file, and returns what happened until it was there.
func (b *browser) open(path string) []event {
	b.t.Helper()
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	loaded := func() bool {
		for _, e := range b.events {
			if e.Method == "Page.loadEventFired" {
				return true
			}
		}
		return false
	}
	for !loaded() {
		b.message()
	}
	return b.events
}

// look sets how wide the window is, and whether the user wants it dark.
func (b *browser) look(width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// eval runs an expression in the page, and fills in answer.
func (b *browser) eval(expression string, answer any) {
	b.t.Helper()
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%.80s: %s", expression, got.ExceptionDetails)
	}
	must(b.t, json.Unmarshal(got.Result.Value, answer))
}

// screenshot is what can be seen, as a PNG in base64.
func (b *browser) screenshot() string {
	b.t.Helper()
	var got struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	return got.Data
}

// complaints are the lines of the console, and the requests for anything but the file itself.
func complaints(events []event) (all []string) {
	for _, e := range events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			all = append(all, fmt.Sprintf("%s %s", e.Method, e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			_ = json.Unmarshal(e.Params, &p)
			if !strings.HasPrefix(p.Request.URL, "file:///") && p.Request.URL != "data:," {
				all = append(all, "request for "+p.Request.URL)
			}
		}
	}
	return all
}
