#compdef sole
# zsh completion for sole

_sole() {
	local -a answer found
	local kind line
	answer=("${(@f)$(sole completion at -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	kind=${answer[1]%% *}
	local number=${answer[1]#* }
	case $kind in
	words)
		# What _describe is given has a colon between the word and what it means.
		for line in "${(@)answer[2,-1]}"; do
			[[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
		done
		_describe -t words 'sole' found
		;;
	command)
		shift $((number + 1)) words
		((CURRENT -= number + 1))
		_normal
		;;
	files | directories | users | variables | programs)
		((number > 0)) && compset -p $number
		case $kind in
		files) _files ;;
		directories) _files -/ ;;
		users) _users ;;
		variables) _parameters -g '*export*' ;;
		programs) _command_names -e ;;
		esac
		;;
	esac
}

# Where it is sourced it says itself what it is for; where it is found, zsh knows.
if [[ $funcstack[1] == _sole ]]; then
	_sole "$@"
else
	compdef _sole sole
fi
