/* The table of methods. `local` has the parent's agent execute its own image once more. */
#include "broker/method.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>

struct Method {
	const char *name;
	guint min, max; /* arguments behind the name */
	const char *usage;
	const char *file;
	char *const *argv;
};

static char agent_name[] = "ctx-agent";
static char *const local_argv[] = { agent_name, NULL };

const Method method_local = { "local", 0, 0, "connect local", "/proc/self/exe", local_argv };

static const Method *const methods[] = { &method_local };

const Method *
method_find(const char *name, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (strcmp(methods[i]->name, name) == 0)
			return methods[i];
	}
	fail(error, EINVAL, "there is no method \"%s\" (there is: local)", name);
	return NULL;
}

const char *
method_name(const Method *method)
{
	return method->name;
}

gboolean
method_check(const Method *method, char *const *args, GError **error)
{
	guint count = g_strv_length((char **)args) - 1;

	if (count < method->min || count > method->max)
		return fail(error, EINVAL, "usage: %s", method->usage);
	return TRUE;
}

gboolean
method_fill(const Method *method, char *const *args, struct spawn_spec *spec, GError **error)
{
	spec->file = method->file;
	spec->argv = (char **)method->argv;
	return TRUE;
}
