# Folding names, for group.awk and copy.awk: web1 web2 web3 is web[1-3]. Only the last number of a name is folded.

# Fold the names list[1..n], in their order.
function fold(list, n,    i, key, keys, heads, tails, numbers, many, out) {
	for (i = 1; i <= n; i++) {
		split_name(list[i])
		key = part_head SUBSEP part_tail SUBSEP
		if (part_number == "")
			key = key "-" i
		else if (part_number ~ /^0./ || (key length(part_number)) in numbers)
			key = key length(part_number)
		if (!(key in numbers)) {
			keys[++many] = key
			heads[key] = part_head
			tails[key] = part_tail
			numbers[key] = part_number
		} else
			numbers[key] = numbers[key] "," part_number
	}
	for (i = 1; i <= many; i++) {
		key = keys[i]
		out = out (i > 1 ? "," : "") heads[key] (numbers[key] ~ /,/ ? "[" ranges(numbers[key]) "]" : numbers[key]) tails[key]
	}
	return out
}

# A name's last number, and what stands around it.
function split_name(name,    end) {
	part_head = name
	part_number = part_tail = ""
	if (!match(name, /[0-9]+[^0-9]*$/))
		return
	part_head = substr(name, 1, RSTART - 1)
	part_tail = substr(name, RSTART)
	match(part_tail, /^[0-9]+/)
	part_number = substr(part_tail, 1, RLENGTH)
	part_tail = substr(part_tail, RLENGTH + 1)
	if (RLENGTH > 15) {
		part_head = name
		part_number = part_tail = ""
	}
}

# Neighbours in a list of numbers as ranges: 1,2,3,7 is 1-3,7.
function ranges(numbers,    n, i, list, first, out) {
	n = split(numbers, list, ",")
	sort(list, n)
	for (i = 1; i <= n; i++) {
		if (i > 1 && value(list[i]) == value(list[i - 1]) + 1 && length(list[i]) >= length(list[i - 1]))
			continue
		if (i > 1)
			out = out (first == list[i - 1] ? "" : "-" list[i - 1]) ","
		first = list[i]
		out = out first
	}
	return out (first == list[n] ? "" : "-" list[n])
}

# Shell's sort, by number.
function sort(list, n,    gap, i, j, item) {
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			item = list[i]
			for (j = i; j > gap && value(list[j - gap]) > value(item); j -= gap)
				list[j] = list[j - gap]
			list[j] = item
		}
}

# There are awks that take 010 for 8.
function value(digits) {
	sub(/^0+/, "", digits)
	return digits + 0
}
