/* Finding every process of a tree.
 *
 * One walk reads the stat of every process in /proc, and where tags count its soft
 * RLIMIT_RTTIME, into a list sorted by pid; then each process asks its line of parents whether
 * it leads to a member. The list is a picture that is old when it is done: a process may have
 * ended, and its children been given to the subreaper, between two reads. That is why tags
 * exist, and why tree_kill() walks again after it has killed. Kernel threads are never asked for
 * a tag. The caller waits while this walks: some 10 us a process.
 *
 * Sources: proc(5), prlimit(2). The limits of another user's process may only be read from its
 * file. */
#include "pty/tree.h"

#include "pty/number.h"
#include "pty/procfile.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define KILL_PASSES 100

enum membership { MEMBERSHIP_UNKNOWN, MEMBERSHIP_NONE, MEMBERSHIP_MEMBER };

struct process {
	pid_t pid, parent, group;
	enum membership membership;
	bool zombie;
};

struct process_list {
	struct process *items; /* by ascending pid */
	size_t count, capacity;
};

uint64_t
tree_tag(uint32_t agent, uint32_t group, uint32_t run)
{
	return UINT64_C(1) << 62 | (uint64_t)(agent & 0x7fff) << 47 |
	       (uint64_t)(group & 0x3ffffff) << 21 | (run & 0x1fffff);
}

/* The tag from the text of /proc/PID/limits, for processes of other users. */
static int
tag_from_file(pid_t pid, uint64_t *ret)
{
	char path[PROCFILE_PATH], text[4096];
	const char *next;
	ssize_t got;

	procfile_path(path, pid, "limits");
	got = procfile_read(path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	next = procfile_line(text, "Max realtime timeout");
	return next ? number_take(&next, ret) : -EINVAL;
}

int
tree_tag_of(pid_t pid, uint64_t *ret)
{
	struct rlimit limit;
	uint64_t tag;

	if (!prlimit(pid, RLIMIT_RTTIME, NULL, &limit))
		tag = limit.rlim_cur;
	else if (errno != EPERM || tag_from_file(pid, &tag) < 0)
		return -ESRCH;
	if (tag >> 62 != 1) /* no limit, or one that a person set */
		return -ENODATA;
	*ret = tag;
	return 0;
}

/* Make room for one more. */
static int
list_reserve(struct process_list *list)
{
	size_t capacity = list->capacity ? list->capacity * 2 : 256;
	struct process *items;

	if (list->count < list->capacity)
		return 0;
	items = realloc(list->items, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->capacity = capacity;
	return 0;
}

/* Put @process where it belongs: at the end, since /proc lists by pid, but for a race. */
static void
list_insert(struct process_list *list, const struct process *process)
{
	size_t at = list->count++;

	for (; at && list->items[at - 1].pid > process->pid; at--)
		list->items[at] = list->items[at - 1];
	list->items[at] = *process;
}

static struct process *
list_find(const struct process_list *list, pid_t pid)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->items[low].pid == pid ? &list->items[low] : NULL;
}

/* What @query says of a process by itself, whatever its parents are. */
static enum membership
process_judge(const struct tree_query *query, const struct procstat *stat)
{
	uint64_t tag;

	if (stat->pid == query->leader)
		return MEMBERSHIP_MEMBER;
	if (!query->mask || stat->flags & PROCSTAT_KERNEL_THREAD ||
	    tree_tag_of(stat->pid, &tag) < 0)
		return MEMBERSHIP_UNKNOWN;
	return (tag & query->mask) == (query->tag & query->mask) ? MEMBERSHIP_MEMBER
								 : MEMBERSHIP_UNKNOWN;
}

/* Read one process into the list, if it is still there. */
static int
list_add(struct process_list *list, const struct tree_query *query, pid_t pid)
{
	struct procstat stat;
	struct process process;

	if (procstat_read(pid, &stat) < 0)
		return 0;
	if (list_reserve(list) < 0)
		return -ENOMEM;
	process = (struct process){
		.pid = pid,
		.parent = stat.parent,
		.group = stat.group,
		.membership = process_judge(query, &stat),
		/* A process whose first thread has ended looks like a zombie while its others
		 * run. */
		.zombie = stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1),
	};
	list_insert(list, &process);
	return 0;
}

/* Decide for @process and for the undecided part of its line of parents. */
static void
list_resolve(const struct process_list *list, struct process *process)
{
	struct process *ancestor = process;
	enum membership found;

	/* A picture that is not of one moment could hold a circle: count. */
	for (size_t i = 0;
	     i <= list->count && ancestor && ancestor->membership == MEMBERSHIP_UNKNOWN; i++)
		ancestor = list_find(list, ancestor->parent);
	found = ancestor && ancestor->membership == MEMBERSHIP_MEMBER ? MEMBERSHIP_MEMBER
								      : MEMBERSHIP_NONE;
	while (process && process->membership == MEMBERSHIP_UNKNOWN) {
		process->membership = found;
		process = list_find(list, process->parent);
	}
}

/* Read all of /proc. */
static int
list_read(struct process_list *list, const struct tree_query *query)
{
	DIR *directory;
	struct dirent *entry;
	int result = 0;

	if (!procfile_is_ours())
		return -ENOENT;
	directory = opendir("/proc");
	if (!directory)
		return -errno;
	while (result == 0 && (entry = readdir(directory))) {
		uint64_t pid;

		if (!number_parse(entry->d_name, INT32_MAX, &pid))
			result = list_add(list, query, (pid_t)pid);
	}
	closedir(directory);
	return result;
}

/* Whether @query takes a process of its tree. */
static bool
query_takes(const struct tree_query *query, const struct process *process)
{
	if (process->membership != MEMBERSHIP_MEMBER || process->zombie)
		return false;
	if (process->pid == getpid() || process->pid == query->spare)
		return false;
	if (query->below_only && process->pid == query->leader)
		return false;
	if (query->parent && process->parent != query->parent)
		return false;
	return !query->group || process->group == query->group;
}

/* Leave only what @query takes in @list, which must be empty before. 0 or -errno. */
static int
query_run(const struct tree_query *query, struct process_list *list)
{
	int result = list_read(list, query);
	size_t kept = 0;

	if (result < 0)
		return result;
	for (size_t i = 0; i < list->count; i++)
		list_resolve(list, &list->items[i]);
	for (size_t i = 0; i < list->count; i++)
		if (query_takes(query, &list->items[i]))
			list->items[kept++] = list->items[i];
	list->count = kept;
	return 0;
}

int
tree_walk(const struct tree_query *query, void (*visit)(pid_t pid, void *data), void *data)
{
	struct process_list list = { 0 };
	int result = query_run(query, &list);

	if (result == 0)
		result = (int)list.count;
	for (int i = 0; visit && i < result; i++)
		visit(list.items[i].pid, data);
	free(list.items);
	return result;
}

/* Signal each of @list that is not in @before. Returns how many those were, and counts how it
 * went. */
static size_t
list_signal(const struct process_list *list, const struct process_list *before, int signal,
	    int *signalled, int *refused)
{
	size_t fresh = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct process *process = &list->items[i];

		if (list_find(before, process->pid))
			continue;
		fresh++;
		if (!kill(process->pid, signal)) {
			++*signalled;
			if (signal == SIGTERM || signal == SIGHUP)
				kill(process->pid, SIGCONT);
		} else if (errno == EPERM) {
			++*refused;
		}
	}
	return fresh;
}

int
tree_kill(const struct tree_query *query, int signal)
{
	struct process_list before = { 0 };
	int passes = signal == SIGKILL ? KILL_PASSES : 1, signalled = 0, refused = 0, result = 0;

	for (int i = 0; i < passes && result == 0; i++) {
		struct process_list list = { 0 };
		size_t fresh;

		result = query_run(query, &list);
		fresh = result == 0 ? list_signal(&list, &before, signal, &signalled, &refused) : 0;
		free(before.items);
		before = list;
		if (!fresh)
			break;
	}
	free(before.items);
	if (result < 0 && !signalled)
		return result;
	return refused && !signalled ? -EPERM : signalled;
}
