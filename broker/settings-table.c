/* The table of settings verbs: how each is parsed, and how it is printed so that another ctl
 * takes it. The order of the rows is the order in which ctl prints them. */
#include "broker/settings.h"

#include "broker/error.h"
#include "broker/text.h"
#include "pty/affinity.h"

#include <errno.h>
#include <string.h>

#define DAY_MS (G_GUINT64_CONSTANT(86400) * 1000)
#define FOREVER_MS (DAY_MS * 36500)

typedef gboolean (*SettingParse)(Settings *settings, char *const *args,
				 const BrokerOptions *options, GError **error);
typedef void (*SettingPrint)(const Settings *settings, const char *verb, GString *out);

enum { WHILE_RUNNING = 1, AT_PLACE = 2 };

struct SettingRow {
	const char *verb;
	guint min, max; /* arguments */
	const char *usage;
	guint flags;
	SettingParse parse;
	SettingPrint print;
};

/* Pieces that several rows share. */

/* `"VALUE" is not WANTED`. */
static gboolean
bad_value(GError **error, const char *value, const char *wanted)
{
	return fail(error, EINVAL, "\"%s\" is not %s", value, wanted);
}

/* Seconds, or "none" for 0. */
static gboolean
parse_seconds(const char *text, guint64 *ret_ms, GError **error)
{
	if (strcmp(text, "none") == 0) {
		*ret_ms = 0;
		return TRUE;
	}
	return text_seconds(text, FOREVER_MS, ret_ms) ||
	       bad_value(error, text, "a number of seconds");
}

static void
print_seconds(const char *verb, guint64 ms, guint64 usual, GString *out)
{
	if (ms == usual)
		return;
	if (ms % 1000 == 0)
		g_string_append_printf(out, "%s %" G_GUINT64_FORMAT "\n", verb, ms / 1000);
	else
		g_string_append_printf(out, "%s %" G_GUINT64_FORMAT ".%03u\n", verb, ms / 1000,
				       (guint)(ms % 1000));
}

static void
print_word(const char *verb, const char *word, GString *out)
{
	g_string_append_printf(out, "%s ", verb);
	text_quote(out, word);
	g_string_append_c(out, '\n');
}

static void
print_number(const char *verb, int number, GString *out)
{
	if (number != SPAWN_KEEP)
		g_string_append_printf(out, "%s %d\n", verb, number);
}

static gboolean
parse_integer(const char *text, int min, int max, int *ret, GError **error)
{
	gint64 number;

	if (!text_number(text, min, max, &number)) {
		g_autofree char *wanted = g_strdup_printf("a number from %d to %d", min, max);

		return bad_value(error, text, wanted);
	}
	*ret = (int)number;
	return TRUE;
}

/* The rows' handlers. */

static gboolean
parse_cwd(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (args[0][0] == '\0')
		return fail(error, EINVAL, "the directory is empty");
	g_free(settings->cwd);
	settings->cwd = g_strdup(args[0]);
	return TRUE;
}

static void
print_cwd(const Settings *settings, const char *verb, GString *out)
{
	if (strcmp(settings->cwd, "~") != 0)
		print_word(verb, settings->cwd, out);
}

static gboolean
parse_clearenv(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	settings->clear_env = TRUE;
	g_ptr_array_set_size(settings->set_env, 0);
	g_ptr_array_set_size(settings->unset_env, 0);
	return TRUE;
}

static void
print_clearenv(const Settings *settings, const char *verb, GString *out)
{
	if (settings->clear_env)
		g_string_append(out, "clearenv\n");
}

/* Where in @list the variable @name (@length bytes) stands, or -1. */
static int
find_variable(const GPtrArray *list, const char *name, gsize length)
{
	for (guint i = 0; i < list->len; i++) {
		const char *entry = g_ptr_array_index(list, i);

		if (strncmp(entry, name, length) == 0 &&
		    (entry[length] == '=' || entry[length] == '\0'))
			return (int)i;
	}
	return -1;
}

/* Whatever was said of the variable before no longer holds. */
static void
forget_variable(Settings *settings, const char *name, gsize length)
{
	int at = find_variable(settings->set_env, name, length);

	if (at >= 0)
		g_ptr_array_remove_index(settings->set_env, (guint)at);
	at = find_variable(settings->unset_env, name, length);
	if (at >= 0)
		g_ptr_array_remove_index(settings->unset_env, (guint)at);
}

static gboolean
parse_unenv(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (args[0][0] == '\0' || strchr(args[0], '=') != NULL)
		return bad_value(error, args[0], "the name of a variable");
	forget_variable(settings, args[0], strlen(args[0]));
	if (!settings->clear_env)
		g_ptr_array_add(settings->unset_env, g_strdup(args[0]));
	return TRUE;
}

static void
print_unenv(const Settings *settings, const char *verb, GString *out)
{
	for (guint i = 0; i < settings->unset_env->len; i++)
		print_word(verb, g_ptr_array_index(settings->unset_env, i), out);
}

static gboolean
parse_env(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	const char *equals = strchr(args[0], '=');

	if (equals == NULL || equals == args[0])
		return bad_value(error, args[0], "NAME=VALUE");
	forget_variable(settings, args[0], (gsize)(equals - args[0]));
	g_ptr_array_add(settings->set_env, g_strdup(args[0]));
	return TRUE;
}

static void
print_env(const Settings *settings, const char *verb, GString *out)
{
	for (guint i = 0; i < settings->set_env->len; i++)
		print_word(verb, g_ptr_array_index(settings->set_env, i), out);
}

static gboolean
parse_umask(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	gsize digits = strspn(args[0], "01234567");

	if (digits == 0 || digits > 4 || args[0][digits] != '\0' ||
	    g_ascii_strtoull(args[0], NULL, 8) > 0777)
		return bad_value(error, args[0], "an octal mode from 0 to 0777");
	settings->umask = (int)g_ascii_strtoull(args[0], NULL, 8);
	return TRUE;
}

static void
print_umask(const Settings *settings, const char *verb, GString *out)
{
	if (settings->umask != SPAWN_KEEP)
		g_string_append_printf(out, "umask %04o\n", (guint)settings->umask);
}

static gboolean
parse_nice(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	return parse_integer(args[0], -20, 19, &settings->nice, error);
}

static void
print_nice(const Settings *settings, const char *verb, GString *out)
{
	print_number(verb, settings->nice, out);
}

static gboolean
parse_affinity(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (affinity_check(args[0]) < 0)
		return bad_value(error, args[0], "a list of CPUs such as 0-3,8");
	g_free(settings->affinity);
	settings->affinity = g_strdup(args[0]);
	return TRUE;
}

static void
print_affinity(const Settings *settings, const char *verb, GString *out)
{
	if (settings->affinity[0] != '\0')
		print_word(verb, settings->affinity, out);
}

static gboolean
parse_oom(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	return parse_integer(args[0], -1000, 1000, &settings->oom, error);
}

static void
print_oom(const Settings *settings, const char *verb, GString *out)
{
	print_number(verb, settings->oom, out);
}

static gboolean
parse_rlimit(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	struct rlimit_setting limit = { 0 };

	if (rlimit_resource(args[0]) < 0)
		return bad_value(error, args[0], "the name of a resource limit");
	if (rlimit_parse(args[1], &limit) < 0)
		return bad_value(error, args[1], "SOFT[:HARD], numbers or \"unlimited\"");
	limit.name = g_intern_string(args[0]);
	for (guint i = 0; i < settings->rlimits->len; i++) {
		if (g_array_index(settings->rlimits, struct rlimit_setting, i).name == limit.name) {
			g_array_index(settings->rlimits, struct rlimit_setting, i) = limit;
			return TRUE;
		}
	}
	g_array_append_val(settings->rlimits, limit);
	return TRUE;
}

static void
print_limit(guint64 value, GString *out)
{
	if (value == RLIMIT_UNLIMITED)
		g_string_append(out, "unlimited");
	else
		g_string_append_printf(out, "%" G_GUINT64_FORMAT, value);
}

static void
print_rlimit(const Settings *settings, const char *verb, GString *out)
{
	for (guint i = 0; i < settings->rlimits->len; i++) {
		const struct rlimit_setting *limit =
			&g_array_index(settings->rlimits, struct rlimit_setting, i);

		g_string_append_printf(out, "rlimit %s ", limit->name);
		print_limit(limit->soft, out);
		if (limit->has_hard) {
			g_string_append_c(out, ':');
			print_limit(limit->hard, out);
		}
		g_string_append_c(out, '\n');
	}
}

static gboolean
parse_shell(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (args[0][0] != '/')
		return bad_value(error, args[0], "an absolute path");
	g_free(settings->shell);
	settings->shell = g_strdup(args[0]);
	return TRUE;
}

static void
print_shell(const Settings *settings, const char *verb, GString *out)
{
	if (settings->shell != NULL)
		print_word(verb, settings->shell, out);
}

static gboolean
parse_preexec(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (args[0] != NULL && args[0][0] == '\0')
		return fail(error, EINVAL, "the program is empty");
	g_strfreev(settings->preexec);
	settings->preexec = args[0] != NULL ? g_strdupv((char **)args) : NULL;
	return TRUE;
}

static void
print_preexec(const Settings *settings, const char *verb, GString *out)
{
	if (settings->preexec == NULL)
		return;
	g_string_append(out, "preexec ");
	text_quote_words(out, settings->preexec);
	g_string_append_c(out, '\n');
}

static gboolean
parse_pty(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (strcmp(args[0], "on") != 0 && strcmp(args[0], "off") != 0)
		return bad_value(error, args[0], "\"on\" or \"off\"");
	settings->pty = strcmp(args[0], "on") == 0;
	return TRUE;
}

static void
print_pty(const Settings *settings, const char *verb, GString *out)
{
	if (settings->pty)
		g_string_append(out, "pty on\n");
}

static gboolean
parse_winsize(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	int columns = 0, rows = 0;

	if (!parse_integer(args[0], 1, 65535, &columns, error) ||
	    !parse_integer(args[1], 1, 65535, &rows, error))
		return FALSE;
	settings->columns = (guint)columns;
	settings->rows = (guint)rows;
	return TRUE;
}

static void
print_winsize(const Settings *settings, const char *verb, GString *out)
{
	if (settings->columns != 80 || settings->rows != 24)
		g_string_append_printf(out, "winsize %u %u\n", settings->columns, settings->rows);
}

static gboolean
parse_timeout(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	return parse_seconds(args[0], &settings->timeout_ms, error);
}

static void
print_timeout(const Settings *settings, const char *verb, GString *out)
{
	print_seconds(verb, settings->timeout_ms, 0, out);
}

static gboolean
parse_grace(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	return text_seconds(args[0], DAY_MS, &settings->grace_ms) ||
	       bad_value(error, args[0], "a number of seconds, at most a day");
}

static void
print_grace(const Settings *settings, const char *verb, GString *out)
{
	print_seconds(verb, settings->grace_ms, 5000, out);
}

static gboolean
parse_retain(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	guint64 bytes;

	if (!text_bytes(args[0], G_MAXUINT64, &bytes) || bytes == 0)
		return bad_value(error, args[0], "a number of bytes such as 65536, 64K or 16M");
	if (bytes > options->max_retain)
		return fail(error, EINVAL,
			    "%s is above this mount's max_retain of %" G_GUINT64_FORMAT " bytes",
			    args[0], options->max_retain);
	settings->retain = MAX(bytes, 4096);
	return TRUE;
}

static void
print_retain(const Settings *settings, const char *verb, GString *out)
{
	if (settings->retain != 16 * 1024 * 1024)
		g_string_append_printf(out, "retain %" G_GUINT64_FORMAT "\n", settings->retain);
}

static gboolean
parse_overflow(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	if (strcmp(args[0], "block") != 0 && strcmp(args[0], "drop") != 0)
		return bad_value(error, args[0], "\"block\" or \"drop\"");
	settings->drop = strcmp(args[0], "drop") == 0;
	return TRUE;
}

static void
print_overflow(const Settings *settings, const char *verb, GString *out)
{
	if (settings->drop)
		g_string_append(out, "overflow drop\n");
}

/* Which of @names @text is, or -1. */
static int
parse_choice(const char *text, const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0)
			return i;
	}
	return -1;
}

static const char *const eof_mode_names[] = { "trunc", "close", "never", NULL };
static const char *const on_close_names[] = { "none", "hup", "kill", NULL };

static gboolean
parse_eofmode(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	int choice = parse_choice(args[0], eof_mode_names);

	if (choice < 0)
		return bad_value(error, args[0], "\"trunc\", \"close\" or \"never\"");
	settings->eof_mode = (InputEofMode)choice;
	return TRUE;
}

static void
print_eofmode(const Settings *settings, const char *verb, GString *out)
{
	if (settings->eof_mode != INPUT_EOF_TRUNC)
		print_word(verb, eof_mode_names[settings->eof_mode], out);
}

static gboolean
parse_onclose(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	int choice = parse_choice(args[0], on_close_names);

	if (choice < 0)
		return bad_value(error, args[0], "\"none\", \"hup\" or \"kill\"");
	settings->on_close = choice;
	return TRUE;
}

static void
print_onclose(const Settings *settings, const char *verb, GString *out)
{
	if (settings->on_close != ON_CLOSE_NONE)
		print_word(verb, on_close_names[settings->on_close], out);
}

/* Only the words: whether the path leads somewhere is for the tree to say. */
static gboolean
parse_pipe(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	gboolean append = args[0] != NULL && strcmp(args[0], "-a") == 0;
	const char *path = args[append ? 1 : 0];

	if (append && path == NULL)
		return fail(error, EINVAL, "-a needs a path");
	if (path != NULL && (path[0] != '/' || args[append ? 2 : 1] != NULL))
		return bad_value(error, path, "the path of one context, as its status prints it");
	g_free(settings->pipe_path);
	settings->pipe_path = g_strdup(path);
	settings->pipe_append = append;
	return TRUE;
}

static void
print_pipe(const Settings *settings, const char *verb, GString *out)
{
	if (settings->pipe_path != NULL)
		print_word(settings->pipe_append ? "pipe -a" : "pipe", settings->pipe_path, out);
}

/* As for pipe. Many paths need more than one line: -a goes on. */
static gboolean
parse_members(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	g_autoptr(GStrvBuilder) paths = g_strv_builder_new();
	gboolean append = args[0] != NULL && strcmp(args[0], "-a") == 0;

	if (append && settings->members != NULL)
		g_strv_builder_addv(paths, (const char **)settings->members);
	args += append;
	if (append && *args == NULL)
		return fail(error, EINVAL, "-a needs a path");
	if (*args == NULL) {
		g_clear_pointer(&settings->members, g_strfreev);
		return TRUE;
	}
	for (; *args != NULL; args++) {
		if (**args != '/')
			return bad_value(error, *args,
					 "the path of a context, as its status prints it");
		g_strv_builder_add(paths, *args);
	}
	g_strfreev(settings->members);
	settings->members = g_strv_builder_end(paths);
	return TRUE;
}

static void
print_members(const Settings *settings, const char *verb, GString *out)
{
	for (guint i = 0; settings->members != NULL && settings->members[i] != NULL; i++)
		print_word(i == 0 ? verb : "members -a", settings->members[i], out);
}

static gboolean
parse_connect_timeout(Settings *settings, char *const *args, const BrokerOptions *options,
		      GError **error)
{
	guint64 ms;

	if (!text_seconds(args[0], DAY_MS, &ms) || ms == 0)
		return bad_value(error, args[0], "a number of seconds, at most a day");
	settings->connect_timeout_ms = ms;
	return TRUE;
}

static void
print_connect_timeout(const Settings *settings, const char *verb, GString *out)
{
	print_seconds(verb, settings->connect_timeout_ms, 30000, out);
}

static gboolean
parse_keepalive(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	return parse_seconds(args[0], &settings->keepalive_ms, error);
}

static void
print_keepalive(const Settings *settings, const char *verb, GString *out)
{
	print_seconds(verb, settings->keepalive_ms, 15000, out);
}

static const char *const log_level_names[] = { "error", "warning", "info", "debug", NULL };
static const int log_levels[] = { WIRE_ERROR, WIRE_WARNING, WIRE_INFO, WIRE_DEBUG };

static gboolean
parse_loglevel(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	int choice = parse_choice(args[0], log_level_names);

	if (choice < 0)
		return bad_value(error, args[0], "\"error\", \"warning\", \"info\" or \"debug\"");
	settings->log_level = log_levels[choice];
	return TRUE;
}

static void
print_loglevel(const Settings *settings, const char *verb, GString *out)
{
	for (guint i = 0; i < G_N_ELEMENTS(log_levels); i++) {
		if (settings->log_level == log_levels[i] && settings->log_level != WIRE_INFO)
			print_word(verb, log_level_names[i], out);
	}
}

static gboolean
parse_fanout(Settings *settings, char *const *args, const BrokerOptions *options, GError **error)
{
	int fanout = 0;

	if (!parse_integer(args[0], 1, 65536, &fanout, error))
		return FALSE;
	settings->fanout = (guint)fanout;
	return TRUE;
}

static void
print_fanout(const Settings *settings, const char *verb, GString *out)
{
	if (settings->fanout != 64)
		g_string_append_printf(out, "fanout %u\n", settings->fanout);
}

/* clang-format off */
static const SettingRow rows[] = {
	{ "cwd", 1, 1, "cwd DIR", 0, parse_cwd, print_cwd },
	{ "clearenv", 0, 0, "clearenv", 0, parse_clearenv, print_clearenv },
	{ "unenv", 1, 1, "unenv NAME", 0, parse_unenv, print_unenv },
	{ "env", 1, 1, "env NAME=VALUE", 0, parse_env, print_env },
	{ "umask", 1, 1, "umask MODE", 0, parse_umask, print_umask },
	{ "nice", 1, 1, "nice N", WHILE_RUNNING | AT_PLACE, parse_nice, print_nice },
	{ "affinity", 1, 1, "affinity LIST", WHILE_RUNNING | AT_PLACE, parse_affinity, print_affinity },
	{ "oom", 1, 1, "oom N", WHILE_RUNNING | AT_PLACE, parse_oom, print_oom },
	{ "rlimit", 2, 2, "rlimit NAME SOFT[:HARD]", 0, parse_rlimit, print_rlimit },
	{ "shell", 1, 1, "shell PATH", 0, parse_shell, print_shell },
	{ "preexec", 0, G_MAXUINT, "preexec [ARGV...]", 0, parse_preexec, print_preexec },
	{ "pty", 1, 1, "pty on|off", 0, parse_pty, print_pty },
	{ "winsize", 2, 2, "winsize COLUMNS ROWS", WHILE_RUNNING, parse_winsize, print_winsize },
	{ "timeout", 1, 1, "timeout SECONDS|none", WHILE_RUNNING, parse_timeout, print_timeout },
	{ "grace", 1, 1, "grace SECONDS", WHILE_RUNNING, parse_grace, print_grace },
	{ "retain", 1, 1, "retain BYTES", WHILE_RUNNING, parse_retain, print_retain },
	{ "overflow", 1, 1, "overflow block|drop", WHILE_RUNNING, parse_overflow, print_overflow },
	{ "eofmode", 1, 1, "eofmode trunc|close|never", WHILE_RUNNING, parse_eofmode, print_eofmode },
	{ "onclose", 1, 1, "onclose none|hup|kill", WHILE_RUNNING, parse_onclose, print_onclose },
	{ "pipe", 0, 2, "pipe [-a] [PATH]", WHILE_RUNNING, parse_pipe, print_pipe },
	{ "members", 0, G_MAXUINT, "members [-a] [PATH...]", WHILE_RUNNING, parse_members, print_members },
	{ "connect-timeout", 1, 1, "connect-timeout SECONDS", 0, parse_connect_timeout, print_connect_timeout },
	{ "keepalive", 1, 1, "keepalive SECONDS|none", 0, parse_keepalive, print_keepalive },
	{ "loglevel", 1, 1, "loglevel error|warning|info|debug", WHILE_RUNNING, parse_loglevel, print_loglevel },
	{ "fanout", 1, 1, "fanout N", WHILE_RUNNING, parse_fanout, print_fanout },
};
/* clang-format on */

const SettingRow *
setting_find(const char *verb)
{
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].verb, verb) == 0)
			return &rows[i];
	}
	return NULL;
}

const char *
setting_name(const SettingRow *row)
{
	return row->verb;
}

gboolean
setting_while_running(const SettingRow *row)
{
	return (row->flags & WHILE_RUNNING) != 0;
}

gboolean
setting_at_place(const SettingRow *row)
{
	return (row->flags & AT_PLACE) != 0;
}

gboolean
setting_apply(const SettingRow *row, Settings *settings, char *const *args,
	      const BrokerOptions *options, GError **error)
{
	guint count = g_strv_length((char **)args);

	if (count < row->min || count > row->max)
		return fail(error, EINVAL, "usage: %s", row->usage);
	return row->parse(settings, args, options, error);
}

void
settings_text(const Settings *settings, GString *out)
{
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		rows[i].print(settings, rows[i].verb, out);
}
