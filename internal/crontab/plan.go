package crontab

import "strings"

// Choice is what the caller wants.
type Choice struct {
	// Sole is how sole is called where PATH is path. An empty path means that nothing is
	// known of PATH there.
	Sole func(path string) string
	// NoPlace says why a user has no place for names, and is empty if he has one. The user is
	// empty if it is the one whose crontab this is.
	NoPlace func(user string) string
	Quiet   bool           // skips say nothing
	Drop    bool           // lock files of other guards are given up
	Prefix  string         // of all names that are made
	Names   map[int]string // of some lines
	Leave   map[int]bool   // lines that are left alone
}

// plan is what is to be done to a line once it has its name.
type plan struct {
	described described
	key       string // things with the same key get the same name
	unnamed   bool
	user      string // whom wrappers before sole switch to
	edits     func(name string) []Edit
}

// maxCommand is the longest command that Debian's cron takes.
const maxCommand = 998

// Apply decides for each job, names those that are to be guarded, and makes the edits.
func (t *Tab) Apply(c Choice) {
	jobs := t.Jobs()
	locks := map[string]int{} // how many lines use a lock file
	commands := map[string]string{}
	for _, l := range jobs {
		if l.Kind == Job && l.State == "" {
			l.decide(c)
		}
		if l.plan != nil && l.lockKey != "" {
			locks[l.lockKey]++
			if locks[l.lockKey] == 1 {
				commands[l.lockKey] = l.plan.key
			} else if commands[l.lockKey] != l.plan.key {
				commands[l.lockKey] = "" // different commands use it
			}
		}
	}
	for _, l := range jobs {
		if l.plan != nil && l.lockKey != "" && commands[l.lockKey] == "" {
			l.plan.key = "lock\x00" + l.lockKey
			l.plan.described = described{main: stem(l.lockKey), more: []string{"lock"}}
		}
	}
	nameAll(jobs, c)
	for _, l := range jobs {
		l.commit(c)
	}
}

// nameAll gives names to the lines that have a plan.
func nameAll(jobs []*Line, c Choice) {
	taken := map[string]bool{}
	for _, l := range jobs {
		if l.State == BySole {
			taken[strings.TrimPrefix(l.Name, c.Prefix)] = true
		}
		if n, ok := c.Names[l.Number]; ok {
			taken[strings.TrimPrefix(n, c.Prefix)] = true
		}
	}
	all := map[string]*wanted{}
	for _, l := range jobs {
		if p := l.plan; p != nil && !p.unnamed && c.Names[l.Number] == "" && all[p.key] == nil {
			all[p.key] = want(p.described, l.User, p.key)
		}
	}
	settle(all, taken)
	for _, l := range jobs {
		if l.plan == nil {
			continue
		}
		if n, ok := c.Names[l.Number]; ok {
			l.Name = n
		} else if w := all[l.plan.key]; w != nil && !l.plan.unnamed {
			l.Name = c.Prefix + w.name()
		}
	}
}

// commit makes the edits of a line, unless cron would not take the longer line.
func (l *Line) commit(c Choice) {
	if l.plan == nil {
		return
	}
	n := l.Name
	if l.plan.unnamed && c.Names[l.Number] == "" {
		n = ""
	}
	l.Edits = l.plan.edits(n)
	before, more := len(strings.TrimRight(l.raw[l.start:], "\n")), 0
	for _, e := range l.Edits {
		more += len(e.Text) - e.Len
	}
	if before <= maxCommand && before+more > maxCommand {
		l.leave("it would be longer than cron's limit of 998 bytes")
	}
}

// leave takes back what was planned.
func (l *Line) leave(why string) {
	l.Edits, l.plan = nil, nil
	if l.State != BySole {
		l.Name = ""
	}
	l.remark("left alone: " + why)
}

func (l *Line) remark(text string) {
	if l.Remark != "" {
		l.Remark += "; "
	}
	l.Remark += text
}
