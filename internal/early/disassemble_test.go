//go:build linux && (amd64 || arm64)

package early_test

import (
	"bufio"
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// function is what a function of the linked program does.
type function struct {
	calls []string // whom it calls; "*" stands for what is not known
	frame int      // the stack that it takes
	data  []string // the writable variables that it uses; only known of amd64

	unread func() // reads the instructions, which few functions need
}

type program map[string]*function

// of returns the function, nil if there is none of that name.
func (p program) of(name string) *function {
	f := p[name]
	if f != nil && f.unread != nil {
		f.unread()
		f.unread = nil
	}
	return f
}

var (
	textLine = regexp.MustCompile(`^TEXT (.+)\(SB\)`)
	// A call or a jump to another function; within one the target is a number.
	toFunc = regexp.MustCompile(`\s(?:CALL|JMP|J[A-Z]+|BL|B|B[A-Z]{2}|TB\w+|CB\w+) (?:.*, ?)?(\S+)\(SB\)$`)
	// A call, or a jump to what is neither an address nor relative to the instruction.
	anyCall = regexp.MustCompile(`\s(?:CALL|BL)\s`)
	anyJump = regexp.MustCompile(`\sJMP\s+(?:[^0-9-]|\d+\([A-OQ-Z]|0\()`)
	symbol  = regexp.MustCompile(`([^\s,$]+?)(?:\+\d+)?\(SB\)`)

	// How a frame is made: amd64, then arm64.
	frame    = regexp.MustCompile(`\s(?:SUBQ \$(0x[0-9a-f]+), SP|ADDQ \$-(0x[0-9a-f]+), SP|MOVD\.W R30, -(\d+)\(RSP\)|SUB \$(\d+), RSP, R20)$`)
	push     = regexp.MustCompile(`\sPUSH[QF]`)
	oddFrame = regexp.MustCompile(`\s(?:SUBQ \w+, SP|SUB R\d+, RSP, \w+)$`)
)

func disassemble(t *testing.T, binary string) program {
	t.Helper()
	vars := variables(t, binary)
	out, err := exec.Command("go", "tool", "objdump", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	p := program{}
	var in string
	var body []string
	add := func() {
		f, name, lines := &function{}, in, body
		f.unread = func() {
			for _, line := range lines {
				f.read(name, line, vars)
			}
		}
		p[name] = f
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := strings.TrimRight(lines.Text(), " \t")
		if !strings.HasPrefix(line, "TEXT ") {
			body = append(body, line)
			continue
		}
		add()
		in, body = textLine.FindStringSubmatch(line)[1], nil
	}
	add()
	if len(p) < 1000 {
		t.Fatalf("only %d functions found", len(p))
	}
	return p
}

// read takes in one instruction of the function in.
func (f *function) read(in, line string, vars map[string]bool) {
	add := func(list *[]string, s string) {
		if !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	switch m := toFunc.FindStringSubmatch(line); {
	case m != nil && (m[1] != in || anyCall.MatchString(line)):
		add(&f.calls, m[1])
		return
	case m == nil && (anyCall.MatchString(line) || anyJump.MatchString(line)):
		add(&f.calls, "*")
		return
	}
	for _, m := range symbol.FindAllStringSubmatch(line, -1) {
		if vars[m[1]] {
			add(&f.data, m[1])
		}
	}
	switch m := frame.FindStringSubmatch(line); {
	case m != nil:
		n, err := strconv.ParseInt(strings.Join(m[1:], ""), 0, 64)
		if err != nil {
			n = endless
		}
		f.frame = max(f.frame, int(n))
	case push.MatchString(line):
		f.frame += 8
	case oddFrame.MatchString(line):
		f.frame = endless
	}
}

// variables returns the symbols of the program that are not read-only.
func variables(t *testing.T, binary string) map[string]bool {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.Fields(line); len(f) == 3 && strings.Contains("DdBb", f[1]) {
			vars[f[2]] = true
		}
	}
	if len(vars) < 100 {
		t.Fatalf("only %d variables found", len(vars))
	}
	return vars
}
