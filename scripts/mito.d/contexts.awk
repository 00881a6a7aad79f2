# Contexts as a table or as a graph: its input are the paths of their status files, parents before their children. Used by
# mito.d/show.
#
# MODE is table (WIDTH and HEIGHT of the terminal, or 0) or dot.

BEGIN {
	mode = ENVIRON["MODE"]
	width = ENVIRON["WIDTH"] + 0
	height = ENVIRON["HEIGHT"] + 0
	if (mode == "dot")
		print "digraph mitofs {\n\tnode [shape=box, fontname=\"sans-serif\", style=rounded];"
	else
		row("CONTEXT", "PLACE", "LINK", "STATE", "CPU", "OUT", "COMMAND")
}

{
	if (!read_status($0))
		next
	if (mode == "dot")
		node()
	else
		row(value["path"], place(), value["link"], value["state"] (value["code"] ~ /^[1-9]/ ? " " value["code"] : ""), \
			seconds(value["cpu.user_usec"] + value["cpu.system_usec"]), bytes(value["stdout"] + value["stderr"]), \
			value["argv"])
}

END {
	if (mode == "dot")
		print "}"
	else
		table()
}

function read_status(file,    line, at, got) {
	while ((getline line < file) > 0) {
		at = index(line, " ")
		value[substr(line, 1, at - 1)] = substr(line, at + 1)
		got = 1
	}
	close(file)
	return got
}

# How it is reached and where that is, where it has a place of its own.
function place() {
	if (value["place"] != value["path"])
		return "-"
	return value["method"] (value["host"] == "-" ? "" : " " value["host"])
}

function seconds(usec) {
	return sprintf(usec < 99500000 ? "%.2f" : "%.0f", usec / 1000000)
}

function bytes(n,    unit) {
	for (unit = 1; n >= 1000 && unit < 6; unit++)
		n /= 1024
	return sprintf(unit == 1 || n >= 9.95 ? "%.0f%s" : "%.1f%s", n, substr(" KMGTP", unit, unit > 1))
}

# Tables.

function row(a, b, c, d, e, f, g) {
	rows++
	cell(1, a)
	cell(2, b)
	cell(3, c)
	cell(4, d)
	cell(5, e)
	cell(6, f)
	cell(7, g)
}

function cell(column, text) {
	cells[rows, column] = text
	if (length(text) > widest[column])
		widest[column] = length(text)
}

# Numbers stand at the right; what is wider than the terminal is cut.
function table(    i, column, line) {
	for (i = 1; i <= rows && (!height || i < height); i++) {
		line = ""
		for (column = 1; column <= 6; column++)
			line = line sprintf(column == 5 || column == 6 ? "%" widest[column] "s  " : "%-" widest[column] "s  ", cells[i, column])
		line = line cells[i, 7]
		print (width ? substr(line, 1, width) "\033[K" : line)
	}
}

# Graphs.

function quoted(text,    out) {
	while (match(text, /[\\"\n]/)) {
		out = out substr(text, 1, RSTART - 1) "\\" (substr(text, RSTART, 1) == "\n" ? "n" : substr(text, RSTART, 1))
		text = substr(text, RSTART + 1)
	}
	return "\"" out text "\""
}

function node(    label, parent, colour) {
	label = value["path"] == "/" ? "/" : value["name"]
	if (value["place"] == value["path"])
		label = label "\n" place()
	if (value["argv"] != "-")
		label = label "\n" value["state"] ": " substr(value["argv"], 1, 60)
	colour = value["link"] == "lost" ? "red" : value["link"] ~ /^(connecting|prompting)$/ ? "orange" : value["state"] == "running" ? "blue" : ""
	print "\t" quoted(value["path"]) " [label=" quoted(label) (value["place"] == value["path"] ? ", style=bold" : "") \
		(colour == "" ? "" : ", color=" colour) "];"
	parent = value["path"]
	sub("/[^/]*$", "", parent)
	parent = parent == "" ? "/" : parent
	if (value["path"] in shown)
		return
	shown[value["path"]]
	if (value["path"] != "/" && (parent in shown))
		print "\t" quoted(parent) " -> " quoted(value["path"]) ";"
}
