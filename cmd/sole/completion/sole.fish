# fish completion for sole

function __sole_complete
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	set -l answer (sole completion at -- $words[2..-1] "$current" 2>/dev/null)
	or return
	set -l kind (string split ' ' -- $answer[1])
	set -l before ''
	set -l value "$current"
	if set -q kind[2]; and test "$kind[2]" -gt 0
		set before (string sub -l $kind[2] -- "$current")
		set value (string sub -s (math $kind[2] + 1) -- "$current")
	end
	switch $kind[1]
		case words
			printf '%s\n' $answer[2..-1]
		case command
			# sole itself is the first of the words.
			set -l from (math $kind[2] + 2)
			set -l line
			if test $from -le (count $words)
				set line (string escape -- $words[$from..-1])
			end
			complete -C (string join ' ' -- $line "$current")
		case files
			printf '%s\n' $before(__fish_complete_path "$value")
		case directories
			printf '%s\n' $before(__fish_complete_directories "$value" '')
		case users
			printf '%s\n' $before(__fish_complete_users)
		case variables
			printf '%s\n' $before(set -nx)
		case programs
			printf '%s\n' $before(complete -C "$value")
	end
end

complete -c sole -f -a '(__sole_complete)'
