/* A set of settings: made, shared, copied, and handed to a spawn. Their verbs are in
 * settings-table.c. */
#include "broker/settings.h"

Settings *
settings_new(void)
{
	Settings *settings = g_new0(Settings, 1);

	settings->refs = 1;
	settings->cwd = g_strdup("~");
	settings->set_env = g_ptr_array_new_with_free_func(g_free);
	settings->unset_env = g_ptr_array_new_with_free_func(g_free);
	settings->umask = settings->nice = settings->oom = SPAWN_KEEP;
	settings->affinity = g_strdup("");
	settings->rlimits = g_array_new(FALSE, FALSE, sizeof(struct rlimit_setting));
	settings->columns = 80;
	settings->rows = 24;
	settings->grace_ms = 5000;
	settings->retain = 16 * 1024 * 1024;
	settings->connect_timeout_ms = 30000;
	settings->keepalive_ms = 15000;
	settings->log_level = WIRE_INFO;
	settings->fanout = 64;
	return settings;
}

Settings *
settings_ref(Settings *settings)
{
	settings->refs++;
	return settings;
}

void
settings_unref(Settings *settings)
{
	if (settings == NULL || --settings->refs > 0)
		return;
	g_free(settings->cwd);
	g_ptr_array_unref(settings->set_env);
	g_ptr_array_unref(settings->unset_env);
	g_free(settings->affinity);
	g_array_unref(settings->rlimits);
	g_free(settings->shell);
	g_strfreev(settings->preexec);
	g_free(settings->pipe_path);
	g_strfreev(settings->members);
	g_free(settings);
}

/* For g_ptr_array_copy(). */
static gpointer
copy_string(gconstpointer text, gpointer data)
{
	return g_strdup(text);
}

Settings *
settings_copy(const Settings *settings)
{
	Settings *copy = g_memdup2(settings, sizeof *settings);

	copy->refs = 1;
	copy->cwd = g_strdup(settings->cwd);
	copy->set_env = g_ptr_array_copy(settings->set_env, copy_string, NULL);
	g_ptr_array_set_free_func(copy->set_env, g_free);
	copy->unset_env = g_ptr_array_copy(settings->unset_env, copy_string, NULL);
	g_ptr_array_set_free_func(copy->unset_env, g_free);
	copy->affinity = g_strdup(settings->affinity);
	copy->rlimits = g_array_copy(settings->rlimits);
	copy->shell = g_strdup(settings->shell);
	copy->preexec = g_strdupv(settings->preexec);
	copy->pipe_path = g_strdup(settings->pipe_path);
	copy->members = g_strdupv(settings->members);
	return copy;
}

Settings *
settings_inherit(Settings *settings)
{
	if (settings->pipe_path == NULL && settings->members == NULL)
		return settings_ref(settings);
	Settings *copy = settings_copy(settings);
	g_clear_pointer(&copy->pipe_path, g_free);
	g_clear_pointer(&copy->members, g_strfreev);
	copy->pipe_append = FALSE;
	return copy;
}

/* The array as NULL-terminated, without copying its strings. */
static char **
as_strv(GPtrArray *array)
{
	g_ptr_array_add(array, NULL);
	g_ptr_array_set_size(array, (int)array->len - 1);
	return (char **)array->pdata;
}

void
settings_fill(const Settings *settings, struct spawn_spec *spec)
{
	spec->clear_env = settings->clear_env;
	spec->set_env = as_strv(settings->set_env);
	spec->unset_env = as_strv(settings->unset_env);
	spec->cwd = settings->cwd;
	spec->umask = settings->umask;
	spec->nice = settings->nice;
	spec->oom = settings->oom;
	spec->affinity = settings->affinity;
	spec->rlimits = (const struct rlimit_setting *)settings->rlimits->data;
	spec->rlimit_count = settings->rlimits->len;
	spec->pty = settings->pty;
	spec->columns = (guint16)settings->columns;
	spec->rows = (guint16)settings->rows;
}
