/* Resource limits by name.
 *
 * The names are those of prlimit(1) and limits.conf(5), which ulimit's letters stand for. The
 * broker uses this to check what a user writes, the child of a spawn to apply it. A number is
 * taken in the unit of setrlimit(2): bytes, seconds, or a count. Nothing is allocated;
 * rlimit_apply() is safe after fork. */
#include "pty/rlimits.h"

#include "pty/number.h"
#include "pty/rawcall.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

struct row {
	uint8_t resource;
	char name[11]; /* here and not elsewhere: see errname.c */
};

static const struct row rows[] = {
	{ RLIMIT_AS, "as" },	     { RLIMIT_CORE, "core" },
	{ RLIMIT_CPU, "cpu" },	     { RLIMIT_DATA, "data" },
	{ RLIMIT_FSIZE, "fsize" },   { RLIMIT_MEMLOCK, "memlock" },
	{ RLIMIT_NOFILE, "nofile" }, { RLIMIT_NPROC, "nproc" },
	{ RLIMIT_RSS, "rss" },	     { RLIMIT_STACK, "stack" },
#ifdef __linux__
	{ RLIMIT_LOCKS, "locks" },   { RLIMIT_MSGQUEUE, "msgqueue" },
	{ RLIMIT_NICE, "nice" },     { RLIMIT_RTPRIO, "rtprio" },
	{ RLIMIT_RTTIME, "rttime" }, { RLIMIT_SIGPENDING, "sigpending" },
#endif
};

int
rlimit_resource(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].resource;
	return -EINVAL;
}

/* Read one limit at *@text, and step over it. */
static int
limit_take(const char **text, uint64_t *ret)
{
	static const char unlimited[] = "unlimited";

	if (strncmp(*text, unlimited, sizeof(unlimited) - 1))
		return number_take(text, ret);
	*text += sizeof(unlimited) - 1;
	*ret = RLIMIT_UNLIMITED;
	return 0;
}

int
rlimit_parse(const char *text, struct rlimit_setting *ret)
{
	uint64_t soft, hard = 0;
	bool has_hard;

	if (limit_take(&text, &soft) < 0)
		return -EINVAL;
	has_hard = *text == ':';
	if (has_hard) {
		text++;
		if (limit_take(&text, &hard) < 0 || soft > hard)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	ret->soft = soft;
	ret->hard = hard;
	ret->has_hard = has_hard;
	return 0;
}

int
rlimit_get(int resource, struct rlimit_native *ret)
{
	return (int)raw_call(SYS_prlimit64, 0, resource, 0, (long)ret);
}

int
rlimit_set(int resource, const struct rlimit_native *limit)
{
	return (int)raw_call(SYS_prlimit64, 0, resource, (long)limit, 0);
}

int
rlimit_apply(const struct rlimit_setting *setting)
{
	int resource = rlimit_resource(setting->name);
	struct rlimit_native limit;
	int result = resource < 0 ? resource : rlimit_get(resource, &limit);

	if (result < 0)
		return result;
	limit.soft = setting->soft;
	if (setting->has_hard)
		limit.hard = setting->hard;
	return rlimit_set(resource, &limit);
}
