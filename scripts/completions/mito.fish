# fish completion of mito(1) and mitofs(1). What can stand where, `mito complete` knows; fish does all quoting.

# What the word at the cursor means, whether its quote is closed or not.
function __mito_begun
	set -l raw (commandline -ct)
	for end in '' "'" '"'
		if set -l value (string unescape -- $raw$end)
			printf '%s\n' "$value"
			return
		end
	end
end

function __mito_complete
	set -l words (commandline -opc)
	set -l begun (__mito_begun)
	set -l program (string replace -r '.*/' '' -- $words[1])
	for line in (command mito complete $program $words[2..] "$begun" 2>/dev/null)
		set -l fields (string split ' ' -- (string sub -s 2 -- $line))
		switch $line
			case \t'command *'
				set -l skip (math $fields[2] + 2)
				complete -C "$fields[3..] "(string join ' ' -- (string escape -- $words[$skip..]) (commandline -ct))
			case \tfiles
				__fish_complete_path "$begun"
			case \tdirectories
				__fish_complete_directories "$begun"
			case '*'
				printf '%s\n' $line
		end
	end
end

complete -c mito -f -a '(__mito_complete)'
complete -c mitofs -f -a '(__mito_complete)'
