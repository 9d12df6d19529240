package doctor

import (
	"strconv"

	"github.com/sole-run/sole/internal/lockdir"
)

func itoa(n int) string { return strconv.Itoa(n) }

// checkDirectory says which directory is meant, and whether it is there.
func checkDirectory(p Place) Result {
	by := p.By
	if p.Path == "" {
		by = "the user's own"
	}
	s, err := p.find()
	if err != nil {
		// A start says it as the walk does.
		if _, _, walk := lockdir.Survey(p.Path); p.Path != "" && walk != nil {
			err = walk
		}
		return trouble(err).with("chosen_by", by).with("path", p.Path)
	}
	r := ok("%s (%s)", cutPath(s.wanted()), by)
	switch {
	case s.missing == "":
	case p.Path == "":
		r = ok("%s (%s); the first start makes it, until then %s is looked at", cutPath(s.wanted()), by, cutPath(s.at))
	default:
		r = warn("see whether it is spelled right; a start would make it, with mode 0700",
			"%s (%s) does not exist; %s is looked at", cutPath(s.wanted()), by, cutPath(s.at))
	}
	return r.with("chosen_by", by).with("path", s.path).with("resolved", s.wanted()).with("checked", s.at)
}
