/* CPU lists, as taskset(1) writes them.
 *
 * A list is items with commas between them: one CPU, or a range, which may have a stride
 * ("0-6:2"). The broker only checks lists; the agent applies them to itself in the child of a
 * spawn, and to threads of running trees. Nothing is allocated. */
#include "pty/affinity.h"

#include "pty/number.h"
#include "pty/rawcall.h"

#include <sched.h>
#include <stdint.h>
#include <string.h>

#define CPU_LAST 1023

/* Read one item at *@text into @set, and step over it. */
static int
item_take(const char **text, cpu_set_t *set)
{
	uint64_t first, last, stride = 1;

	if (number_take(text, &first) < 0)
		return -EINVAL;
	last = first;
	if (**text == '-') {
		++*text;
		if (number_take(text, &last) < 0)
			return -EINVAL;
		if (**text == ':') {
			++*text;
			if (number_take(text, &stride) < 0 || !stride || stride > CPU_LAST)
				return -EINVAL;
		}
	}
	if (first > last || last > CPU_LAST)
		return -EINVAL;
	for (uint64_t cpu = first; cpu <= last; cpu += stride)
		CPU_SET((int)cpu, set);
	return 0;
}

/* Read the whole of @list. */
static int
list_parse(const char *list, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (;;) {
		if (item_take(&list, set) < 0)
			return -EINVAL;
		if (!*list)
			return 0;
		if (*list++ != ',')
			return -EINVAL;
	}
}

int
affinity_check(const char *list)
{
	cpu_set_t set;

	return list_parse(list, &set);
}

int
affinity_apply(const char *list, pid_t pid)
{
	cpu_set_t set;

	if (list_parse(list, &set) < 0)
		return -EINVAL;
	if (pid == 0)
		return 0;
	return (int)raw_call(SYS_sched_setaffinity, pid == AFFINITY_SELF ? 0 : pid, sizeof(set),
			     (long)&set, 0);
}
