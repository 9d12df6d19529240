package crontab

// builtins are the commands that a shell runs itself, or better than a program of that name
// would. They cannot stand behind sole.
const builtins = " . : [ alias bg bind break builtin caller cd command compgen complete continue declare dirs disown echo " +
	"enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile newgrp popd " +
	"print printf pushd pwd read readarray readonly return set setopt shift shopt source suspend test times trap true " +
	"type typeset ulimit umask unalias unset unsetopt wait whence "

// harmless are those that only prepare what follows: they need no guard.
const harmless = " . : [ cd command echo exit export false printf pwd set shopt sleep source test true type ulimit umask unset which "

// helpers are programs that look, prepare or report. They do not give a job its name.
const helpers = " awk basename cat cut date dirname egrep fgrep grep head hostname install kill ln logger mail mailx mkdir mkfifo " +
	"mktemp mv nc pgrep pidof pkill ps readlink rm rmdir sed seq sort ssh-add tail tee touch tr uniq wc xargs "

// onlyShell are those that are no programs: behind a guard they fail, or do nothing.
const onlyShell = " . cd eval exec export set shopt source ulimit umask unset "

// isHarmless reports whether a simple command only prepares what follows.
func isHarmless(c simple) bool {
	if len(c.words) == 0 {
		return true
	}
	w := c.words[0].text
	if w == "command" { // -v asks for a program; else it runs one
		return len(c.words) > 1 && (c.words[1].text == "-v" || c.words[1].text == "-V")
	}
	return among(w, harmless)
}
