/* The environment of a command.
 *
 * Made in the agent before it forks, so that the child allocates nothing; the array is the
 * agent's and is freed after the fork, its strings are never copied. Where a name is set twice
 * the later one wins, as with two `env` verbs. A command on a pseudo terminal without TERM gets
 * one: nothing that draws works without, and the agent, which has no terminal, usually has none
 * to inherit. */
#include "pty/environment.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

/* Whether the NAME=VALUE of @entry has the first @length bytes of @name as its NAME. */
static bool
entry_is(const char *entry, const char *name, size_t length)
{
	return !strncmp(entry, name, length) && entry[length] == '=';
}

/* The entry that sets @name (@length bytes) in @list, which may be NULL. */
static char *
list_find(char *const *list, const char *name, size_t length)
{
	for (; list && *list; list++)
		if (entry_is(*list, name, length))
			return *list;
	return NULL;
}

/* Whether @list of plain names holds @name. */
static bool
names_hold(char *const *list, const char *name, size_t length)
{
	for (; list && *list; list++)
		if (!strncmp(*list, name, length) && !(*list)[length])
			return true;
	return false;
}

static size_t
list_count(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* Whether an inherited @entry stays in the environment of @spec. */
static bool
entry_stays(const struct spawn_spec *spec, const char *entry)
{
	size_t length = strcspn(entry, "=");

	return !names_hold(spec->unset_env, entry, length) &&
	       !list_find(spec->set_env, entry, length);
}

char **
environment_new(const struct spawn_spec *spec)
{
	char *const *inherited = spec->clear_env ? NULL : environ;
	char **result =
		malloc((list_count(inherited) + list_count(spec->set_env) + 2) * sizeof(*result));
	size_t count = 0;

	if (!result)
		return NULL;
	for (; inherited && *inherited; inherited++)
		if (entry_stays(spec, *inherited))
			result[count++] = *inherited;
	for (char *const *set = spec->set_env; set && *set; set++)
		if (!list_find(set + 1, *set, strcspn(*set, "=")))
			result[count++] = *set;
	result[count] = NULL;
	if (spec->pty && !environment_get(result, "TERM")) {
		result[count++] = (char *)ENVIRONMENT_TERM;
		result[count] = NULL;
	}
	return result;
}

const char *
environment_get(char *const *environment, const char *name)
{
	const char *entry = list_find(environment, name, strlen(name));

	return entry ? strchr(entry, '=') + 1 : NULL;
}

const char *
environment_path(char *const *environment)
{
	const char *path = environment_get(environment, "PATH");

	return path ? path : ENVIRONMENT_PATH;
}
