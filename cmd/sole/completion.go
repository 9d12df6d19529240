package main

import (
	_ "embed" // a script for each shell
	"os"
)

var completionCommand = &command{
	name:    "completion",
	args:    "bash|zsh|fish",
	summary: "print the completion script of a shell",
	about: `The packages install it. Without them, in the start-up file of the shell:

  source <(sole completion bash)
  source <(sole completion zsh)
  sole completion fish | source

It completes commands, flags, their values, the names that are held, and the
command behind NAME as that command's own completion does.`,
}

func init() { completionCommand.setup = setupCompletion } // it lists all commands, itself included

// The scripts ask `sole completion at -- WORD…`, and only put what it says in the form of
// their shell.
var (
	//go:embed completion/sole.bash
	bashScript string
	//go:embed completion/sole.zsh
	zshScript string
	//go:embed completion/sole.fish
	fishScript string
)

func setupCompletion(*flags) func([]string) int {
	return func(args []string) int {
		if len(args) > 1 && args[0] == "at" {
			return completeAt(args[1:])
		}
		if len(args) != 1 {
			return fail(usageError("completion: it takes bash, zsh or fish"))
		}
		script := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[args[0]]
		if script == "" {
			return fail(usageError("completion: there is none for %q, but for bash, zsh and fish", shorten(args[0])))
		}
		_, err := os.Stdout.WriteString(script)
		return printed(err)
	}
}
