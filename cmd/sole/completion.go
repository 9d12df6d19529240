package main

import (
	"maps"
	"os"
	"slices"
	"strings"
)

var completionCommand = &command{
	name:    "completion",
	args:    "bash|zsh|fish",
	summary: "print the completion script of a shell",
	about:   "bash: source <(sole completion bash)\nzsh:  source <(sole completion zsh)\nfish: sole completion fish | source",
}

func init() { completionCommand.setup = setupCompletion } // it lists all commands, itself included

func setupCompletion(*flags) func([]string) int {
	return func(args []string) int {
		if len(args) != 1 {
			return fail(usageError("completion: it takes bash, zsh or fish"))
		}
		script, ok := map[string]func() string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[args[0]]
		if !ok {
			return fail(usageError("completion: there is none for %q, but for bash, zsh and fish", shorten(args[0])))
		}
		_, err := os.Stdout.WriteString(script())
		return printed(err)
	}
}

// heldNames prints the names that are held, for the shells.
const heldNames = `sole ls --json 2>/dev/null | sed -n 's/^    "name": "\(.*\)",$/\1/p'`

// heldSlots prints the slots that are held.
const heldSlots = `sole ls --json 2>/dev/null | sed -n 's/^    "slot": \([1-9].*\),$/\1/p' | sort -nu`

// longFlags are a command's flags as they are typed.
func longFlags(c *command) []string {
	f := &flags{}
	c.setup(f)
	all := []string{"--help"}
	for _, fl := range f.all {
		all = append(all, "--"+fl.long)
	}
	return all
}

// valueWords are the flags that take one of a few values, each with them.
func valueWords() map[string][]string {
	all := map[string][]string{}
	for _, c := range commands() {
		f := &flags{}
		c.setup(f)
		for _, fl := range f.all {
			if len(fl.words) > 0 {
				all["--"+fl.long] = fl.words
			}
		}
	}
	return all
}

// bashValues completes what a flag's value may be.
func bashValues() string {
	words := valueWords()
	var b strings.Builder
	for _, long := range slices.Sorted(maps.Keys(words)) {
		b.WriteString("\telif [ \"${COMP_WORDS[COMP_CWORD - 1]}\" = " + long + " ]; then\n" +
			"\t\tmapfile -t COMPREPLY < <(compgen -W \"" + strings.Join(words[long], " ") + "\" -- \"$cur\")\n")
	}
	return b.String()
}

func commandWords() string {
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return strings.Join(all, " ")
}

func bashCompletion() string {
	var b strings.Builder
	b.WriteString(`# bash completion for sole
_sole() {
	local cur=${COMP_WORDS[COMP_CWORD]} flags= names= i
	# A name may contain a colon, at which readline breaks words.
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "` + commandWords() + `" -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
`)
	for _, c := range commands() {
		b.WriteString("\t" + c.name + ") flags='" + strings.Join(longFlags(c), " ") + "'")
		if c.takesNames {
			b.WriteString("; names=y")
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString(`	esac
	if [ "${COMP_WORDS[1]}" = run ]; then
		# Behind NAME comes a command, which has a completion of its own.
		for ((i = 2; i < COMP_CWORD; i++)); do
			if [[ ${COMP_WORDS[i]} == -- ]] && declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
				return
			fi
		done
	fi
	if [ "${COMP_WORDS[COMP_CWORD - 1]}" = --slot ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(` + heldSlots + `)" -- "$cur")
` + bashValues() + `	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --@(pidfile|lock|output) || ${COMP_WORDS[COMP_CWORD - 1]} == -o ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
	elif [ -n "$names" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(` + heldNames + `)" -- "$cur")
	elif [ "${COMP_WORDS[1]}" = completion ]; then
		mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$cur")
	elif [ "${COMP_WORDS[1]}" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "` + commandWords() + `" -- "$cur")
	fi
}
complete -o default -F _sole sole
`)
	return b.String()
}

func zshCompletion() string {
	return `#compdef sole
# zsh completion for sole: by way of its bash completion
autoload -U +X bashcompinit && bashcompinit
mapfile() { shift; eval "$1=(\"\${(@f)\$(cat)}\")"; }
` + bashCompletion()
}

func fishCompletion() string {
	var b strings.Builder
	words := valueWords()
	b.WriteString("# fish completion for sole\n")
	b.WriteString("function __sole_names\n\t" + heldNames + "\nend\n")
	for _, c := range commands() {
		b.WriteString("complete -c sole -n __fish_use_subcommand -f -a " + c.name + " -d '" + c.summary + "'\n")
		if c.takesNames {
			b.WriteString("complete -c sole -n '__fish_seen_subcommand_from " + c.name + "' -f -a '(__sole_names)'\n")
		}
		for _, fl := range longFlags(c) {
			values := ""
			if w := words[fl]; len(w) > 0 {
				values = " -x -a '" + strings.Join(w, " ") + "'"
			}
			b.WriteString("complete -c sole -n '__fish_seen_subcommand_from " + c.name + "' -l " + fl[2:] + values + "\n")
		}
	}
	return b.String()
}
