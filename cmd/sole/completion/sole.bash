# bash completion for sole                                  -*- shell-script -*-

# _sole_words sets words, the line up to the cursor in words as sole gets them: readline
# breaks them at colons and equal signs too. from has where each begins in COMP_WORDS.
_sole_words() {
	local rest=$COMP_LINE next i
	words=() from=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		next=${rest#"${rest%%[![:space:]]*}"}
		if ((i == 0)) || [[ $next != "$rest" || -z ${words[*]} ]]; then
			words+=("${COMP_WORDS[i]}")
			from+=("$i")
		else
			words[${#words[@]} - 1]+=${COMP_WORDS[i]}
		fi
		rest=${next#"${COMP_WORDS[i]}"}
	done
}

# _sole_reply sets COMPREPLY to what is given on standard input, without what stands before
# the last break in the word: readline keeps that.
_sole_reply() {
	local cur=$1 prefix=$2 kept='' word
	if [[ $cur == *[=:@]* ]]; then
		word=${cur##*[=:@]}
		local break=${cur:${#cur}-${#word}-1:1}
		if [[ $COMP_WORDBREAKS == *"$break"* ]]; then
			kept=${cur%"$word"}
			kept=${kept%@} # which is itself part of what is completed
		fi
	fi
	COMPREPLY=()
	while IFS= read -r word; do
		word=$prefix${word%%$'\t'*}
		COMPREPLY+=("${word#"$kept"}")
	done
}

_sole() {
	local words from cur answer kind number value
	_sole_words
	cur=${words[${#words[@]} - 1]}
	COMPREPLY=()
	answer=$(sole completion at -- "${words[@]:1}" 2>/dev/null) || return 0
	read -r kind number <<<"${answer%%$'\n'*}"
	value=${cur:${number:-0}}
	case $kind in
	words)
		[[ $answer == *$'\n'* ]] && _sole_reply "$cur" '' <<<"${answer#*$'\n'}"
		[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
		;;
	command)
		if declare -F _command_offset >/dev/null; then
			_command_offset "${from[number + 1]}"
		elif ((${#words[@]} == number + 2)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
		fi
		;;
	files | directories | users | variables | programs)
		local how=-f
		case $kind in
		directories) how=-d ;;
		users) how=-u ;;
		variables) how=-e ;;
		programs) how=-c ;;
		esac
		local found
		found=$(compgen "$how" -- "$value")
		[[ -n $found ]] && _sole_reply "$cur" "${cur:0:number}" <<<"$found"
		[[ $how == -[fd] ]] && compopt -o filenames 2>/dev/null
		;;
	esac
	return 0
}
complete -F _sole sole
