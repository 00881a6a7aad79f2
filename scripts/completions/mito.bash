# shellcheck shell=bash
# bash completion of mito(1) and mitofs(1). What can stand where, `mito complete` knows; here are only the quotes: the
# words are given to it as the shell will see them, and what it offers is quoted as the word under the cursor is.

# Set value, what the raw word $1 means, and quote, the quote that is open at its end.
_mito_unquote() {
	local raw=$1 i char next
	value='' quote=''
	for ((i = 0; i < ${#raw}; i++)); do
		char=${raw:i:1}
		next=${raw:i+1:1}
		case $quote$char in
		"''" | '""') quote='' ;;
		"'" | '"') quote=$char ;;
		"'"*) value+=$char ;;
		\"\\)
			case $next in
			[\"\\\$\`])
				value+=$next
				((i++))
				;;
			*) value+=$char ;;
			esac
			;;
		\\)
			value+=$next
			((i++))
			;;
		*) value+=$char ;;
		esac
	done
}

# Set quoted, the text $1 as it is written behind the open quote $quote.
_mito_quote() {
	local text=$1 i char
	quoted=''
	for ((i = 0; i < ${#text}; i++)); do
		char=${text:i:1}
		case ${quote:-none}$char in
		"''") quoted+="'\\''" ;;
		\"[\"\\\$\`]) quoted+="\\$char" ;;
		none[a-zA-Z0-9_./:=@%+,-]) quoted+=$char ;;
		none[[:punct:][:space:]]) quoted+="\\$char" ;;
		*) quoted+=$char ;;
		esac
	done
}

# Set raw, the words from the program's to the cursor, whole: readline parts them at colons and equals signs too.
_mito_words() {
	local text=${COMP_LINE:0:COMP_POINT} i word glued=
	raw=()
	for ((i = COMP_CWORD; i >= 0; i--)); do
		word=${COMP_WORDS[i]}
		while ((i == COMP_CWORD)) && [[ $text != *"$word" ]]; do
			word=${word%?}
		done
		text=${text%"$word"}
		if [[ $glued ]]; then
			raw[0]=$word${raw[0]}
		else
			raw=("$word" "${raw[@]}")
		fi
		glued=yes
		if [[ $text == *[[:space:]] ]]; then
			glued=
			text=${text%"${text##*[![:space:]]}"}
		fi
	done
}

# Add the words of stdin, one a line, that are offered for the word.
_mito_add() {
	local word quoted
	while IFS= read -r word; do
		_mito_quote "${word#"$before"}"
		COMPREPLY+=("$quoted")
	done
}

# The words behind the $1-th are a command line, with the words $2... in front of it.
_mito_command() {
	local skip=$(($1 + 1))
	shift
	COMP_WORDS=("$@" "${raw[@]:skip}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_LINE=${COMP_WORDS[*]}
	COMP_POINT=${#COMP_LINE}
	if ((COMP_CWORD == 0)); then
		_mito_add < <(compgen -c -- "$begun" | sort -u)
		compopt -o default
	elif declare -F _command_offset >/dev/null; then
		_command_offset 0
	else
		compopt -o default
	fi
}

_mito() {
	local raw value quote before begun line word quoted words=() replaced=$2
	COMPREPLY=()
	_mito_words
	for word in "${raw[@]}"; do
		_mito_unquote "$word"
		words+=("$value")
	done
	begun=$value
	words[0]=${words[0]##*/}
	case ${raw[${#raw[@]} - 2]} in
	'<' | '>' | '>>' | '2>' | '&>')
		compopt -o default
		return
		;;
	esac
	# What readline will replace is the end of the word; what stands before that stays.
	_mito_unquote "${raw[${#raw[@]} - 1]%"$replaced"}"
	before=$value
	while IFS= read -r line; do
		case $line in
		$'\t'command\ *)
			read -r -a line <<<"$line"
			_mito_command "${line[@]:1}"
			return
			;;
		$'\t'directories) compopt -o dirnames ;;
		$'\t'files)
			compopt -o default
			[[ ${#COMPREPLY[@]} -eq 0 ]] || _mito_add < <(compgen -f -- "$begun")
			;;
		*) _mito_add <<<"${line%%$'\t'*}" ;;
		esac
	done < <(command mito complete "${words[@]}" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
		compopt -o nospace
	fi
}

complete -F _mito mito mitofs
