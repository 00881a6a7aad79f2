# Lists of contexts, see HOST LISTS in mito(1): expands ENVIRON["LIST"] without those of ENVIRON["EXCEPT"]; groups are
# those of the Ansible inventory ENVIRON["INVENTORY"]. Used by mito.d/hosts.
#
# Prints a name a line. Where there are patterns, which only the mount can tell, the lines are +NAME, *PATTERN and
# -EXCEPTION in their order, and come again as the input of `filter` when each *PATTERN has become +NAMEs. What is wrong
# is a line of its own, and the exit code 2.
#
# Characters behind a backslash stand, until they are printed, as control characters, which no name has.

BEGIN {
	most = 100000
	quoted = ",[]*?@^-\\"
	hidden = "\001\002\003\004\005\006\007\010\011"
	if (ENVIRON["MODE"] == "filter") {
		while ((getline line < "/dev/stdin") > 0)
			take(substr(line, 1, 1), substr(line, 2))
	} else {
		sign = "+"
		list(hide(ENVIRON["LIST"]))
		sign = "-"
		list(hide(ENVIRON["EXCEPT"]))
	}
	print_names()
}

function die(text) {
	print show(text)
	exit 2
}

# A character behind a backslash is another, for now.
function hide(text,    i, at, out) {
	while (at = index(text, "\\")) {
		i = index(quoted, substr(text, at + 1, 1))
		out = out substr(text, 1, at - 1) (i && at < length(text) ? substr(hidden, i, 1) : substr(text, at, 2))
		text = substr(text, at + 2)
	}
	return out text
}

# What is hidden in a text as it is, or, for_shell, with what is a pattern's in brackets.
function show(text, for_shell,    i, c, out) {
	while (match(text, /[\001-\011]/)) {
		i = index(hidden, substr(text, RSTART, 1))
		c = substr(quoted, i, 1)
		if (for_shell && c ~ /[[*?\\]/)
			c = "[" c "]"
		out = out substr(text, 1, RSTART - 1) c
		text = substr(text, RSTART + 1)
	}
	return out text
}

# A name with its sign: + and - for names and for what is left out, * for a pattern of names.
function take(kind, name) {
	if (kind == "+" && name ~ /[*?]/ && ENVIRON["MODE"] == "list")
		kind = "*"
	if ((kind name) in seen)
		return
	seen[kind name]
	if (++count > most)
		die("more than " most " names")
	kinds[count] = kind
	names[count] = name
	if (kind == "*")
		patterns = 1
	if (kind == "-" && name ~ /[*?]/)
		without = without (without == "" ? "" : "|") regex(name)
}

# What a pattern of the shell's is as a regular expression.
function regex(pattern) {
	gsub(/[][\\.^$+(){}|]/, "\\\\&", pattern)
	gsub(/\*/, "[^/]*", pattern)
	gsub(/\?/, "[^/]", pattern)
	return pattern
}

function print_names(    i) {
	if (patterns)
		for (i = 1; i <= count; i++)
			print kinds[i] (kinds[i] == "*" ? show(names[i], 1) : show(names[i]))
	else
		for (i = 1; i <= count; i++)
			if (kinds[i] != "-" && !(("-" names[i]) in seen) && (without == "" || names[i] !~ ("^(" without ")$")))
				print show(names[i])
}

# Items between commas; those in brackets belong to a range.
function list(text,    i, c, item, depth) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		depth += (c == "[") - (c == "]")
		if (c == "," && depth <= 0 || c == "\n") {
			one(item)
			item = ""
		} else
			item = item c
	}
	one(item)
}

function one(item) {
	if (item == "-" || item == "^-")
		file("/dev/stdin", "standard input")
	else if (item ~ /^\^/)
		file(substr(item, 2), substr(item, 2))
	else if (item ~ /^@/)
		group(substr(item, 2))
	else if (item != "")
		expand("", item)
}

# A file of items, with comments.
function file(path, called,    line, got, n, i, words) {
	while ((got = (getline line < path)) > 0) {
		sub(/\r$/, "", line)
		sub(/(^|[ \t])#.*/, "", line)
		n = split(line, words, /[ \t]+/)
		for (i = 1; i <= n; i++)
			if (words[i] !~ /^(\^.*|-)$/)
				list(hide(words[i]))
	}
	if (got < 0)
		die(called ": cannot be read")
}

# Each name of a text with ranges goes to take(), or into a group of the inventory.
function expand(before, text,    start, end, n, i, parts, bounds, low, high, step, width, whole) {
	start = index(text, "[")
	end = index(text, "]")
	if (!start && !end) {
		finish(before text)
		return
	}
	if (!start || end < start)
		die(text ": a bracket without the other; a range is written [1-3,7]")
	before = before substr(text, 1, start - 1)
	whole = substr(text, start, end - start + 1)
	n = split(substr(whole, 2, length(whole) - 2), parts, ",")
	text = substr(text, end + 1)
	if (!n)
		die(whole ": an empty range")
	for (i = 1; i <= n; i++) {
		if (parts[i] ~ /^[A-Za-z](-[A-Za-z])?$/) {
			letters(before, parts[i], text)
			continue
		}
		if (parts[i] !~ /^[0-9]+(-[0-9]+(\/[0-9]+)?)?$/)
			die(whole ": no range; it is written [1-3,7]")
		split(parts[i] "-" parts[i], bounds, /[-\/]/)
		if (length(bounds[1]) > 15 || length(bounds[2]) > 15)
			die(whole ": more than " most " names")
		width = bounds[1] ~ /^0/ ? length(bounds[1]) : 1
		low = value(bounds[1])
		high = value(bounds[2])
		step = parts[i] ~ /\// ? value(bounds[3]) : 1
		if (high < low || step < 1)
			die(whole ": a range that runs backwards")
		for (; low <= high; low += step)
			expand(before sprintf("%0" width ".0f", low), text)
	}
}

# There are awks that take 010 for 8.
function value(digits) {
	sub(/^0+/, "", digits)
	return digits + 0
}

function letters(before, part, text,    all, i, last) {
	all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	i = index(all, substr(part, 1, 1))
	last = index(all, substr(part, length(part)))
	if (last < i)
		die("[" part "]: a range that runs backwards")
	for (; i <= last; i++)
		expand(before substr(all, i, 1), text)
}

function finish(name) {
	if (into != "") {
		if (!((into, name) in member)) {
			member[into, name]
			members[into] = members[into] name "\n"
		}
		if (++held > most)
			die("more than " most " names")
		return
	}
	gsub(/\/\/+/, "/", name)
	if (name != "/")
		gsub(/^\/|\/$/, "", name)
	take(sign, name)
}

# The hosts of a group and of the groups below it.
function group(name,    n, i, hosts) {
	if (!inventory_read) {
		if (ENVIRON["INVENTORY"] == "")
			die("@" name ": there is no inventory; name one with -I FILE or $MITO_INVENTORY")
		inventory(ENVIRON["INVENTORY"])
	}
	if (!(name in known))
		die("@" name ": no such group in " ENVIRON["INVENTORY"])
	delete visited
	add_group(name)
}

function add_group(name,    n, i, parts) {
	if (name in visited)
		return
	visited[name]
	n = split(members[name], parts, "\n")
	for (i = 1; i < n; i++)
		take(sign, parts[i])
	n = split(below[name], parts, "\n")
	for (i = 1; i < n; i++)
		add_group(parts[i])
}

# An Ansible inventory in its INI form: groups, their hosts with ranges [01:20], and their children.
function inventory(path,    line, got, section, kind) {
	inventory_read = 1
	section = "ungrouped"
	known["all"]
	known["ungrouped"]
	while ((got = (getline line < path)) > 0) {
		gsub(/^[ \t]+|[ \t\r]+$/, "", line)
		if (line == "" || line ~ /^[#;]/)
			continue
		if (line ~ /^\[/) {
			section = line
			sub(/\].*/, "", section)
			section = substr(section, 2)
			kind = section ~ /:/ ? section : ""
			sub(/.*:/, "", kind)
			sub(/:.*/, "", section)
			known[section]
		} else if (kind == "children") {
			sub(/[ \t].*/, "", line)
			known[line]
			below[section] = below[section] line "\n"
		} else if (kind == "")
			host(line, section)
	}
	into = ""
	if (got < 0)
		die(path ": cannot be read")
}

# A line of the inventory: a name, or several, and then variables.
function host(line, section,    outside) {
	sub(/[ \t].*/, "", line)
	outside = line
	gsub(/\[[^]]*\]/, "", outside)
	if (gsub(/:/, "", outside) == 1)
		sub(/:[0-9]+$/, "", line)
	while (match(line, /\[[0-9A-Za-z]+:[^]]*\]/)) {
		outside = substr(line, RSTART, RLENGTH)
		sub(/:/, "-", outside)
		sub(/:/, "/", outside)
		line = substr(line, 1, RSTART - 1) outside substr(line, RSTART + RLENGTH)
	}
	into = section
	expand("", line)
	into = "all"
	expand("", line)
}
