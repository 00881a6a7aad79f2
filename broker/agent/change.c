/* Settings of running trees.
 *
 * A setting is a row: how its value is checked, and how it is applied. nice and affinity belong
 * to threads in Linux, so they are applied to each in /proc/PID/task; oom belongs to the
 * process. What starts while this runs inherits from what was changed before or is missed: there
 * is no way to hold a tree still. Errors do not stop the walk; the first one is told. */
#include "broker/agent/change.h"

#include "broker/agent/agent.h"
#include "broker/agent/trees.h"
#include "pty/affinity.h"
#include "pty/autofd.h"
#include "pty/number.h"
#include "pty/procfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

static int
nice_check(const char *value)
{
	int64_t number;

	return number_parse_signed(value, -20, 19, &number);
}

static int
nice_apply(pid_t thread, const char *value)
{
	int64_t number = 0;

	(void)number_parse_signed(value, -20, 19, &number);
	return setpriority(PRIO_PROCESS, (id_t)thread, (int)number) < 0 ? -errno : 0;
}

static int
affinity_apply_to(pid_t thread, const char *value)
{
	return affinity_apply(value, thread);
}

static int
oom_check(const char *value)
{
	int64_t number;

	return number_parse_signed(value, -1000, 1000, &number);
}

static int
oom_apply(pid_t pid, const char *value)
{
	char path[PROCFILE_PATH];
	autofd fd = -1;

	procfile_path(path, pid, "oom_score_adj");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static const struct row {
	char name[9];
	bool threads; /* else processes */
	int (*check)(const char *value);
	int (*apply)(pid_t id, const char *value);
} rows[] = {
	{ "nice", true, nice_check, nice_apply },
	{ "affinity", true, affinity_check, affinity_apply_to },
	{ "oom", false, oom_check, oom_apply },
};

struct change {
	const struct row *row;
	const char *value;
	int error; /* the first one */
};

/* Apply it to one thread or process, which may have ended. */
static void
change_one(struct change *change, pid_t id)
{
	int result = change->row->apply(id, change->value);

	if (result < 0 && result != -ESRCH && result != -ENOENT && !change->error)
		change->error = result;
}

static void
change_process(pid_t pid, void *data)
{
	struct change *change = data;
	char path[PROCFILE_PATH];
	struct dirent *entry;
	uint64_t thread;
	DIR *tasks;

	procfile_path(path, pid, "task");
	tasks = change->row->threads ? opendir(path) : NULL;
	if (!tasks) {
		change_one(change, pid);
		return;
	}
	while ((entry = readdir(tasks)))
		if (!number_parse(entry->d_name, INT32_MAX, &thread))
			change_one(change, (pid_t)thread);
	closedir(tasks);
}

int
change_apply(struct run *run, const char *name, const char *value)
{
	struct tree_query query = trees_of_run(run);
	struct change change = { .value = value };
	int count;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			change.row = &rows[i];
	if (!change.row || change.row->check(value) < 0)
		return -EINVAL;
	count = tree_walk(&query, change_process, &change);
	if (count == -ENOENT && run->state != RUN_ENDED) {
		change_process(run->pid, &change);
		count = 1;
	}
	return change.error ? change.error : count;
}
