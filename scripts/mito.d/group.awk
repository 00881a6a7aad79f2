# What becomes of what comes from the contexts of a group; with fold.awk. MODE says what the input is, and what for:
#
#	paths	nothing -> the directories of the fresh contexts
#	members	nothing -> lines of ctl that make all/ stand for these
#	running	all/status -> the same, but for those that run only
#	label	all/stdout -> NAME: LINE
#	keep	the same, in the order of the names, at its end
#	gather	the same, equal outputs once, at its end
#	bar	all/wait -> a bar on the terminal
#	report	all/wait -> what did not go well, and the joblog; exits with the largest code
#	quiet	the same, but for codes of commands that have said it themselves, and those that the signal ENDED has ended
#
# MOUNT is where the mount is, NAMES the file of names, FRESH.1, FRESH.2, ... are the fresh contexts below them in their
# order, and CLEAR says that a bar stands in the line.

BEGIN {
	mode = ENVIRON["MODE"]
	mount = ENVIRON["MOUNT"]
	fresh = ENVIRON["FRESH"]
	clear = ENVIRON["CLEAR"] ? "\r\033[K" : ""
	FS = "\t"
	read_names()
	if (mode == "report" || mode == "quiet" || mode == "running")
		FS = " "
	if (mode == "bar")
		bar(0)
	if (mode == "members")
		print_members(0)
	for (i = 1; mode == "paths" && i <= count; i++)
		print fresh_path(i)
	if (mode == "members" || mode == "paths")
		exit
}

mode == "label" {
	cut()
	printf "%s", clear ENVIRON["PREFIX"] names[number] ": " rest "\n"
	fflush()
}

mode == "keep" || mode == "gather" {
	cut()
	text[number] = text[number] (mode == "keep" ? names[number] ": " : "") rest "\n"
}

mode == "bar" {
	bar(++done)
}

mode == "running" && $2 ~ /^(starting|running|stopped)$/ {
	runs[last_number($1)]
}

mode == "report" || mode == "quiet" {
	outcome(last_number($1))
}

END {
	if (mode == "keep")
		for (i = 1; i <= count; i++)
			printf "%s", text[i]
	if (mode == "gather")
		print_groups()
	if (mode == "bar")
		printf "\r\033[K"
	if (mode == "running")
		print_members(1)
	if (mode == "report" || mode == "quiet")
		exit report()
}

function read_names(    line) {
	while ((getline line < ENVIRON["NAMES"]) > 0)
		names[++count] = line
}

# Where the fresh context of a name is.
function fresh_path(i,    name) {
	name = names[i]
	gsub(/\//, "/children/", name)
	return mount (name == "/children/" ? "" : "/children/" name) "/children/" fresh "." i
}

# As lines of ctl, of which none is too long.
function print_members(only_running,    i, name, line) {
	print "members"
	for (i = 1; i <= count; i++) {
		if (only_running && !(i in runs))
			continue
		name = names[i]
		gsub(/'/, "'\\''", name)
		line = line " '" (name == "/" ? "" : "/" name) "/" fresh "." i "'"
		if (length(line) > 60000) {
			print "members -a" line
			line = ""
		}
	}
	if (line != "")
		print "members -a" line
}

# Which fresh context a path ends with.
function last_number(path) {
	sub(/.*\./, "", path)
	return path + 0
}

# A line of all/stdout into $number and $rest.
function cut(    at) {
	at = index($0, "\t")
	number = last_number(substr($0, 1, at - 1))
	rest = substr($0, at + 1)
}

function bar(done,    width, i, line) {
	width = 30
	for (i = 1; i <= width; i++)
		line = line (i * count <= done * width ? "#" : ".")
	printf "%s", "\r[" line "] " done "/" count "\033[K"
	fflush()
}

# Equal outputs under the names that have them, as clush does.
function print_groups(    i, j, n, group, many, groups, of) {
	for (i = 1; i <= count; i++) {
		if (!(i in text))
			continue
		if (!(text[i] in of)) {
			of[text[i]] = ++many
			groups[many] = text[i]
		}
	}
	for (j = 1; j <= many; j++) {
		n = 0
		for (i = 1; i <= count; i++)
			if ((i in text) && of[text[i]] == j)
				group[++n] = names[i]
		print "---------------\n" fold(group, n) (n > 1 ? " (" n ")" : "") "\n---------------"
		printf "%s", groups[j]
	}
}

# A line of all/wait: NAME CODE WHY ARGUMENT ... real=S ...
function outcome(i,    word) {
	code[i] = $2
	why[i] = $3
	what[i] = $4
	for (word = 5; word <= NF; word++)
		if ($word ~ /^real=/)
			real[i] = substr($word, 6)
}

# What is to be said of a context, or nothing.
function verdict(i) {
	if (!(i in code)) {
		code[i] = 255
		why[i] = "none"
	}
	if (code[i] == 0)
		return ""
	if (why[i] == "lost")
		return "the link was lost (" what[i] ")"
	if (why[i] == "signal" && what[i] == ENVIRON["ENDED"]) {
		code[i] = 0
		return ""
	}
	if (why[i] == "signal")
		return "ended by signal " what[i]
	if (why[i] == "exit")
		return mode == "quiet" ? "" : "exit code " code[i]
	if (why[i] == "timeout")
		return "ended by its timeout"
	return failure(i)
}

# The sentence of the fresh context's newest failure.
function failure(i,    file, line, last) {
	file = fresh_path(i) "/error"
	while ((getline line < file) > 0)
		last = line
	close(file)
	sub(/^[^ ]* [^ ]* [^ ]* /, "", last)
	return last == "" ? "the context was removed" : last
}

# A line on stderr for each outcome but success, with the names that have it.
function report(    i, j, n, said, many, group, lines, of, most) {
	for (i = 1; i <= count; i++) {
		said = verdict(i)
		if (code[i] + 0 > most)
			most = code[i] + 0
		verdicts[i] = said
		if (said != "" && !(said in of)) {
			of[said]
			lines[++many] = said
		}
	}
	for (j = 1; j <= many; j++) {
		n = 0
		for (i = 1; i <= count; i++)
			if (verdicts[i] == lines[j])
				group[++n] = names[i]
		print "mito: " fold(group, n) ": " lines[j] > "/dev/stderr"
	}
	if (ENVIRON["JOBLOG"] != "")
		joblog(ENVIRON["JOBLOG"])
	return most + 0
}

# In the columns of GNU parallel.
function joblog(file,    i, status, line, started, bytes) {
	printf "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n" > file
	for (i = 1; i <= count; i++) {
		started = bytes = 0
		status = fresh_path(i) "/status"
		while ((getline line < status) > 0) {
			if (line ~ /^started [0-9]/)
				started = substr(line, 9)
			if (line ~ /^stdout [0-9]/)
				bytes = substr(line, 8)
		}
		close(status)
		printf "%d\t%s\t%.3f\t%.3f\t0\t%s\t%d\t%d\t%s\n", i, names[i], started, real[i], bytes, code[i], \
			(why[i] == "signal" ? code[i] - 128 : 0), ENVIRON["COMMAND"] > file
	}
	close(file)
}
